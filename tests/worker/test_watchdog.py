"""What the watchdog takes for a stall, and what it doesn't."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from stream.core.rules import TOPICS
from stream.worker.flight import Whereabouts
from stream.worker.watchdog import MOST_OF_A_LOOK_S, Sight, Stalled, Watchdog

TIMEOUT_S = 60.0


def sight(
    position: int = 5, end: int = 9, chunk: Whereabouts = "none", waits_for: str | None = None
) -> Sight:
    """A topic-partition that has more, and nothing to wait for."""
    return Sight(position, end, chunk, waits_for)


def seconds_until_stalled(sights: Sequence[Sight], every_s: float = 1.0) -> float | None:
    """When a partition is found stalled whose views look like this, one after the other; None if never."""
    watchdog = Watchdog({topic: f"{topic}/0" for topic in TOPICS}, TIMEOUT_S)
    read = dict.fromkeys(TOPICS, sight(7, 7))
    for number, views in enumerate(sights):
        try:
            watchdog.look(read | {"views": views}, now_s=number * every_s)
        except Stalled:
            return number * every_s
    return None


def test_what_has_more_and_stays_where_it_is_is_stalled_after_the_time_out() -> None:
    assert 60 == seconds_until_stalled([sight()] * 100)


def test_a_position_that_moves_is_none() -> None:
    assert seconds_until_stalled([sight(number // 50, 1_000) for number in range(500)]) is None


def test_a_place_that_is_read_to_its_end_is_none() -> None:
    assert seconds_until_stalled([sight(9, 9)] * 500) is None


def test_a_read_of_all_there_is_starts_it_over() -> None:
    """It stood at 5 while 5 was the end: what came then is only late from then on."""
    looks = [sight(5, 9)] * 50 + [sight(5, 5)] + [sight(5, 9)] * 50
    assert seconds_until_stalled(looks) is None


def test_what_waits_is_none_and_its_wait_does_not_count() -> None:
    waiting = sight(chunk="arrived", waits_for="Redis")
    assert seconds_until_stalled([waiting] * 500) is None
    assert 30 + 500 + 30 == seconds_until_stalled([sight()] * 31 + [waiting] * 500 + [sight()] * 100)


def test_a_look_counts_for_little_however_long_ago_the_one_before_was() -> None:
    """The process, or the machine, was asleep, or an answer took long."""
    assert 100 * TIMEOUT_S / MOST_OF_A_LOOK_S == seconds_until_stalled([sight()] * 100, every_s=100)


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        ("none", "nothing more is fetched"),
        ("on its way", "what was fetched does not come through its agent"),
        ("arrived", "what was fetched is not applied"),
    ],
)
def test_the_sentence_says_where_since_when_and_what(chunk: Whereabouts, says: str) -> None:
    watchdog = Watchdog({"views": "acme.views/3"}, 2)
    watchdog.look({"views": sight(chunk=chunk)}, 0)
    watchdog.look({"views": sight(chunk=chunk)}, 0)
    with pytest.raises(Stalled) as stalled:
        watchdog.look({"views": sight(chunk=chunk)}, 2)
    assert (
        f"acme.views/3 has stood at offset 5 for 2 s, though its log is committed up to 9: {says}. "
        "The worker ends, to be started anew." == str(stalled.value)
    )
    assert 1 == stalled.value.exit_code


def test_standing_still_is_shown_and_said_for_whatever_reason() -> None:
    """In parts of the time-out, the topic that has stood longest, with what it waits for."""
    watchdog = Watchdog({topic: f"{topic}/0" for topic in TOPICS}, TIMEOUT_S)
    read = dict.fromkeys(TOPICS, sight(7, 7))
    waiting = read | {"likes": sight(chunk="arrived", waits_for="Redis")}
    with capture_logs() as lines:
        shown = [watchdog.look(waiting, now_s) for now_s in range(25)][-1]
    assert {"views": 0, "likes": 24, "shares": 0, "comments": 0} == shown
    assert [(10, "waits for Redis"), (20, "waits for Redis")] == [
        (line["seconds"], line["reason"]) for line in lines
    ]
    assert {"no progress"} == {line["event"] for line in lines}
