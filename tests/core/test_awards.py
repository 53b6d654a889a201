"""The public identity of an award."""

import hashlib

from stream.core.awards import bonus_id, latch


def test_the_id_is_the_digest_of_what_was_reached_by_whom() -> None:
    written = hashlib.sha256(b"creator-rewards\nbronze\ncreator\nc-17\n-").hexdigest()[:32]
    assert bonus_id("creator-rewards", "bronze", "creator", "c-17", None, None) == written


def test_a_video_is_the_pair_of_both_ids_and_a_period_its_start() -> None:
    written = hashlib.sha256("p\nt\nvideo\nadä\nv1\n1767225600000".encode()).hexdigest()[:32]
    assert bonus_id("p", "t", "video", "adä", "v1", 1_767_225_600_000) == written


def test_a_latch_tells_periods_apart() -> None:
    assert latch("p", "t", None) == "p/t/-"
    assert latch("p", "t", 0) == "p/t/0"
