"""Records that can't be accepted, of every code there is, and what producers may send beside them."""

import time
from collections.abc import Iterator

from schemas.placement import partition_of
from tests.builders import HOUR, MINUTE
from tests.kafka.traffic import Sent, new_event, value_of

LARGE_BYTES = 5_000_000
HEADERS = (("trace", b"\x00\xff"), ("error", b"the producer's own"), ("trace", b"again"), ("empty", b""))

CREATOR = "ada"
_DEEP = b'{"unknown":' + b"[" * 10_000 + b"]" * 10_000 + b"}"


def malformed(partitions: int, *, large_bytes: int = LARGE_BYTES) -> Iterator[tuple[str, Sent]]:
    """A code, and a record that must get it, for every code and many reasons. All are of one creator."""
    home = partition_of(CREATOR, partitions)

    def sent(value: bytes | None, topic: str = "views", partition: int = home) -> Sent:
        return Sent(topic, value, key="any key", partition=partition, headers=HEADERS)

    def event(topic: str = "views", partition: int = home, **fields: object) -> Sent:
        return sent(value_of(new_event("never-counted", CREATOR) | fields), topic, partition)

    def text(old: str, new: bytes) -> Sent:
        whole = value_of(new_event("never-counted", CREATOR, note="NOTE"))
        return sent(whole.replace(old.encode(), new))

    yield "too_large", sent(b" " * large_bytes)
    yield "too_large", event(note="x" * 65_536)
    yield "empty", sent(None)
    yield "empty", sent(b"", "likes")
    yield "not_json", sent(b"{")
    yield "not_json", sent(_DEEP)
    yield "not_json", text("NOTE", b"\xff\xfe")
    yield "not_json", text('"NOTE"', b"NaN")
    yield "not_json", text('"NOTE"', b"-Infinity")
    yield "not_json", text("NOTE", b"\\ud800")
    yield "not_json", sent(b"\xef\xbb\xbf" + value_of(new_event("never-counted", CREATOR)))
    yield "not_object", sent(b"[]", "shares")
    yield "not_object", sent(b"null")
    yield "missing_field", sent(b"{}", "comments")
    yield "wrong_type", event(event_id=7)
    yield "wrong_type", event(watch_ms=1.5)
    yield "wrong_type", event("likes", paid=1)
    yield "wrong_type", event("shares", region=None)
    yield "bad_value", event(event_id="")
    yield "bad_value", event(event_id="x" * 129)
    yield "bad_value", event(viewer_id="bell\x07")
    yield "bad_value", event("likes", region="us")
    yield "bad_value", event("comments", occurred_at="2026-01-01T00:00:00")
    yield "bad_value", event(action="remove")
    yield "wrong_partition", event(partition=(home + 1) % partitions)
    yield "clock_error", event(occurred_at=_now_ms() + 10 * MINUTE)
    yield "late", event(occurred_at=_now_ms() - 2 * HOUR)
    yield "late", event("likes", occurred_at=0)


def unusual(partitions: int) -> Iterator[Sent]:
    """Records that are accepted, though few producers would write them so."""
    home = partition_of(CREATOR, partitions)

    def event(event_id: str, topic: str = "views", **fields: object) -> Sent:
        return Sent(topic, value_of(new_event(event_id, CREATOR) | fields), partition=home)

    yield event("x" * 128)
    yield event("ünï-😀", video_id="é" * 128, note={"deep": [[[{}]]]})
    yield event("an id of another topic's")
    yield event("an id of another topic's", "likes")
    yield event("twice", watch_ms=2_000)
    yield event("twice", watch_ms=2_000_000, region="GB")
    yield event("written out", occurred_at=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()))
    yield event("a past second", occurred_at=_now_ms() - 59 * MINUTE)
    yield event("no campaign", campaign_id=None, added_at=None)


def _now_ms() -> int:
    return int(time.time() * 1000)
