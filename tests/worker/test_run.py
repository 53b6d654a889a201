"""What a worker ends with, as a sentence."""

import pytest

from stream.core.partition import Partition, Unapplied
from stream.core.plan import Plan
from stream.core.rules import Limits, Rolling
from stream.errors import BonusError, InputError
from stream.worker.run import _reason
from tests.builders import HOUR, MINUTE, Log, program, tier, version


def test_a_record_that_cannot_be_applied_is_named_with_what_went_wrong() -> None:
    """Topic, partition, offset, and the cause: here a subject that was not read back."""
    plan = Plan([program(version(Rolling(HOUR, MINUTE), tier(views=1)))])
    partition = Partition(3, plan, Limits(), complete=False)
    with pytest.raises(Unapplied) as failed:
        partition.apply("views", [17], [HOUR], [Log().add("views", HOUR, creator_id="ada").decoded])
    ended = _reason(failed.value)
    assert (
        "views/3/17 could not be applied (LookupError: 'ada' was not read back before records that touch it were "
        "applied). Nothing of it was acknowledged; this is a mistake in the software: "
        "please report it with the record." == str(ended)
    )
    assert isinstance(ended, BonusError)
    assert 1 == ended.exit_code


def test_a_chunk_that_was_applied_in_part_is_never_checkpointed() -> None:
    """Its first record reaches the tier, which nobody is told of when the second can't be applied: durable, the award
    would be made already when the records are read again."""
    plan = Plan([program(version(Rolling(HOUR, MINUTE), tier(views=1)))])
    partition, log = Partition(0, plan, Limits(), complete=False), Log()
    partition.memory.admit("ada", {})
    records = [log.add("views", HOUR, creator_id=creator) for creator in ("ada", "eve")]
    with pytest.raises(Unapplied):
        partition.apply("views", [0, 1], [HOUR, HOUR], [record.decoded for record in records])
    with pytest.raises(Unapplied):
        partition.cut()


def test_any_other_end_is_told_as_it_is() -> None:
    error = InputError("The folder is empty.")
    assert error is _reason(error)
