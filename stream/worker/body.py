"""What a checkpoint says of itself, beside the state: the place in every log, and the rules in force there.

A field that is added later has a default, which means what releases before it did, and is not stored: so they can
read what doesn't use it. What they don't know they refuse: a checkpoint that a newer release wrote is never cut down
to what an older one understands. What keys hold, and how, is the store's own ``format``.
"""

import msgspec

from stream.core.rules import Topic
from stream.errors import InputError


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The ``meta`` of a checkpoint.

    ``positions`` are the next offsets to read, ``place`` the offset in `bonuses` up to which awards are latched,
    ``arrivals`` in Unix ms. ``documents`` are the programmes in force, of which ``late`` were loaded after their
    start; they came with ``edition``, when the next offsets to read were those of ``since``: empty where they were
    in force from the first record on. ``limits`` are those that decide results.
    ``cluster``, ``partitions`` and ``topics`` say which logs the offsets belong to: the topics' ids by their names
    without prefix, without those not known. ``moved`` tells where the state came from by ``bonus migrate``, and is
    empty where it was counted from these logs alone. ``shortened`` are lifetimes whose end was moved to before what
    had been read.
    """

    positions: dict[Topic, int]
    arrivals: dict[Topic, int]
    place: int
    edition: int
    since: dict[Topic, int]
    documents: tuple[str, ...]
    late: dict[str, int]
    limits: dict[str, int]
    cluster: str
    partitions: int
    topics: dict[str, str] = {}
    moved: str = ""
    shortened: dict[str, int] = {}

    def encode(self) -> bytes:
        """As stored."""
        return _encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> "Body":
        """From what was stored.

        Raises ``InputError`` where another release stored it otherwise, or a move of state has not come to its end.
        """
        try:
            return _decode(stored)
        except msgspec.DecodeError as error:
            if moving_from(stored) is not None:
                raise InputError(
                    "A move of state into this group has not come to its end: run `bonus migrate` again, as it was "
                    "called."
                ) from None
            raise InputError(
                f"The checkpoint was written by another release and can't be read ({error}): run the release that "
                "wrote it."
            ) from error


class Moving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``meta`` of a partition whose state is being written by ``bonus migrate``: where it comes ``from``."""

    moving_from: str

    def encode(self) -> bytes:
        """As stored."""
        return _encode(self)


def moving_from(stored: bytes) -> str | None:
    """Where the state comes from that is being written to a partition; None where none is."""
    try:
        return msgspec.json.decode(stored, type=Moving).moving_from
    except msgspec.DecodeError:
        return None


def said_at_commit(seq: int, at_ms: int, *, moved: bool) -> str:
    """The metadata of the group's offsets: which checkpoint they belong to, when it was written, and whether the
    state has a part that these logs can't bring back."""
    return f"checkpoint {seq} {at_ms}{_MOVED if moved else ''}"


def seq_said(metadata: str) -> int | None:
    """The checkpoint that the metadata of committed offsets names; None where they name none."""
    word, _, rest = metadata.partition(" ")
    seq = rest.partition(" ")[0]
    return int(seq) if word == "checkpoint" and seq.isdecimal() else None


def moved_said(metadata: str) -> bool:
    """Whether the metadata of committed offsets says that the state has such a part."""
    return seq_said(metadata) is not None and metadata.endswith(_MOVED)


_MOVED = " moved"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode
