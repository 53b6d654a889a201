"""Engagement events as producers write them, for the tests of the wire formats."""

import json

WHOLE: dict[str, object] = {
    "event_id": "e-1",
    "creator_id": "c-1",
    "video_id": "v-1",
    "viewer_id": "u-1",
    "occurred_at": 1_767_225_600_000,
    "region": "US",
}
"""An event with the needed fields alone."""


def value(**changes: object) -> bytes:
    """A record's value: a whole event with fields changed or added, in compact UTF-8."""
    return dump(WHOLE | changes)


def without(*fields: str, **changes: object) -> bytes:
    """A record's value that lacks ``fields``."""
    return dump({name: item for name, item in (WHOLE | changes).items() if name not in fields})


def with_text(field: str, text: bytes) -> bytes:
    """A record's value with one field last, written as ``text``: for what json.dumps does not write."""
    return without(field)[:-1] + b',"%s":%s}' % (field.encode(), text)


def dump(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
