"""The verdict asks the brute-force model, of long logs in some partitions."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from tests.chaos import verdict
from tests.chaos.setup import PARTITIONS, PREFIX
from tests.kafka.logs_of import Logs

A_RECORD = ConsumerRecord(PREFIX + "views", 0, 0, 0, 1, b"ada", b"", None, 3, 0, ())


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Logs:
    """Ten records a partition, where the model takes 25."""
    monkeypatch.setattr(verdict, "MODEL_RECORDS", 25)
    return {TopicPartition(PREFIX + "views", number): [A_RECORD] * 10 for number in range(PARTITIONS)}


def test_the_model_judges_as_many_partitions_as_its_bound_allows(logs: Logs, seed: int) -> None:
    """Whole ones, drawn by the seed."""
    assert len(verdict.modelled(logs, seed)) == 2
    assert verdict.modelled(logs, seed) == verdict.modelled(logs, seed)
    assert frozenset.union(*(verdict.modelled(logs, each) for each in range(50))) == frozenset(
        range(PARTITIONS)
    )


def test_the_model_judges_one_partition_at_least(logs: Logs, seed: int) -> None:
    """However long it is."""
    longer = {tp: held * 10 for tp, held in logs.items()}
    assert len(verdict.modelled(longer, seed)) == 1
