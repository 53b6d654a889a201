"""How often a refused command is tried, and how often the operator hears of it."""

import pytest

from stream.store import patience
from stream.store.link import Refused
from stream.store.patience import Patience
from tests.store.conftest import Said


class Refusing:
    """A request that is refused so many times, then answered."""

    def __init__(self, times: int, code: str = "OOM") -> None:
        self.left = times
        self._code = code

    async def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise Refused(self._code, "not now.")
        return "done"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAIT_FIRST_S", 0.0)


async def test_an_answer_at_once_says_nothing(said: Said) -> None:
    """The rule."""
    assert await Patience("here", "It", said).until_done(Refusing(0)) == "done"
    assert said.sentences == []


async def test_a_short_outage_is_said_once_and_its_end(said: Said) -> None:
    """However many tries it takes."""
    assert await Patience("here", "It", said).until_done(Refusing(30)) == "done"
    assert said.sentences[0] == "It waits for Redis at here (OOM not now): raise its maxmemory."
    assert said.sentences[1].startswith("It goes on: Redis at here was away for ")
    assert len(said.sentences) == 2


async def test_a_long_outage_is_said_again_and_again(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time what Redis answers and what to do."""
    monkeypatch.setattr(patience, "SAY_EVERY_S", 0.0)
    await Patience("here", "It", said).until_done(Refusing(30))
    assert sum("raise its maxmemory" in sentence for sentence in said.sentences) == 30


async def test_what_no_waiting_heals_is_not_waited_for(said: Said) -> None:
    """One try, no sentence: the caller's error is the sentence."""
    request = Refusing(2, "WRONGTYPE")
    with pytest.raises(Refused, match="WRONGTYPE not now"):
        await Patience("here", "It", said).until_done(request)
    assert (request.left, said.sentences) == (1, [])


async def test_a_stated_time_ends_the_wait(said: Said) -> None:
    """With the last refusal."""
    with pytest.raises(Refused, match="OOM not now"):
        await Patience("here", "It", said).until_done(Refusing(10**9), within_s=0.05)
