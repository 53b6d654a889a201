"""What another release has written is read whole or refused, with a sentence that says what to do."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from stream.errors import InputError
from stream.store.layout import FORMAT
from stream.store.store import StateStore
from stream.worker.body import Body, Moving
from tests.data import state

if TYPE_CHECKING:
    from redis.asyncio import Redis

RECORDED = [state.State.read(path) for path in state.STATES]


def body_of(held: state.State) -> dict[str, object]:
    """The body of a recorded checkpoint, field by field."""
    return msgspec.json.decode(str(held.keys[f"{state.TAG}:meta"]["body"]), type=dict[str, object])


@pytest.mark.parametrize("held", RECORDED, ids=[path.stem for path in state.STATES])
def test_every_recorded_body_is_read_whole(held: state.State) -> None:
    """What it says is said again by what is made of it; only fields that are newer may come along."""
    stored = body_of(held)
    again = msgspec.json.decode(Body.decode(msgspec.json.encode(stored)).encode(), type=dict[str, object])
    assert stored == {name: value for name, value in again.items() if name in stored}


def test_there_is_a_recorded_state_of_the_format_that_is_written() -> None:
    """So that the next release is held to it."""
    assert FORMAT in {str(held.keys[f"{state.TAG}:meta"]["format"]) for held in RECORDED}


@pytest.mark.parametrize("field", ["positions", "arrivals", "place", "documents", "limits", "partitions"])
def test_a_body_without_a_field_is_refused(field: str) -> None:
    """It is not guessed what was meant."""
    stored = body_of(RECORDED[0])
    del stored[field]
    with pytest.raises(InputError, match=f"another release .*`{field}`.*: run the release that wrote it"):
        Body.decode(msgspec.json.encode(stored))


def test_a_body_with_a_field_that_is_not_known_is_refused() -> None:
    """A newer release meant something by it, and would miss it."""
    stored = body_of(RECORDED[0]) | {"unheard_of": 1}
    with pytest.raises(InputError, match=r"another release .*`unheard_of`.*: run the release that wrote it"):
        Body.decode(msgspec.json.encode(stored))


def test_fields_that_came_later_are_not_stored_while_nothing_is_said_by_them() -> None:
    """So that an older release can still read what doesn't use them."""
    body = Body.decode(msgspec.json.encode(body_of(RECORDED[0])))
    assert b'"moved"' not in body.encode()
    assert b'"moved"' in msgspec.structs.replace(body, moved="bonus 1").encode()


def test_a_move_that_is_under_way_is_no_checkpoint() -> None:
    """No release goes on with it."""
    with pytest.raises(InputError, match="run `bonus migrate` again"):
        Body.decode(Moving("bonus 1").encode())


@pytest.mark.parametrize("number", ["0", "2", "99", "new"])
async def test_another_format_is_neither_taken_nor_looked_at(
    store: StateStore, client: "Redis", number: str
) -> None:
    """Whether it is older or newer; and it stays as it is."""
    await store.take(0)
    await client.hset("{bonus:0}:meta", "format", number)
    before = await client.hgetall("{bonus:0}:meta")
    for attempt in (store.take, store.look):
        with pytest.raises(
            InputError, match=f"in format {number}, this version knows {FORMAT}: run the version"
        ):
            await attempt(0)
    assert before == await client.hgetall("{bonus:0}:meta")
