"""What a worker ends with, as a sentence."""

from types import SimpleNamespace
from typing import cast

import pytest

from stream.core.outcome import Event
from stream.core.partition import Partition, Unapplied
from stream.core.plan import Plan
from stream.core.rules import Limits, Rolling
from stream.errors import BonusError, InputError
from stream.worker.run import _reason
from tests.builders import HOUR, MINUTE, Log, program, tier, version


def no_event() -> Event:
    """What can't be applied."""
    return cast(Event, SimpleNamespace(occurred_at=HOUR, region="US"))


def test_a_record_that_cannot_be_applied_is_named_with_what_went_wrong() -> None:
    """Topic, partition, offset, and the cause: here an event without an id, which no decoder lets through."""
    partition = Partition(3, Plan([]), Limits())
    with pytest.raises(Unapplied) as failed:
        partition.apply("views", [17], [HOUR], [no_event()])
    ended = _reason(failed.value)
    assert (
        "views/3/17 could not be applied (AttributeError: 'types.SimpleNamespace' object has no attribute "
        "'event_id'). Nothing of it was acknowledged; this is a mistake in the software: "
        "please report it with the record." == str(ended)
    )
    assert isinstance(ended, BonusError)
    assert 1 == ended.exit_code


def test_a_chunk_that_was_applied_in_part_is_never_checkpointed() -> None:
    """Its first record reaches the tier, which nobody is told of when the second can't be applied: durable, the award
    would be made already when the records are read again."""
    plan = Plan([program(version(Rolling(HOUR, MINUTE), tier(views=1)))])
    partition = Partition(0, plan, Limits())
    reaching = Log().add("views", HOUR, creator_id="ada").decoded
    with pytest.raises(Unapplied):
        partition.apply("views", [0, 1], [HOUR, HOUR], [reaching, no_event()])
    with pytest.raises(Unapplied):
        partition.cut()


def test_any_other_end_is_told_as_it_is() -> None:
    error = InputError("The folder is empty.")
    assert error is _reason(error)
