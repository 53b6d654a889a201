"""What a checkpoint says of itself, beside the state: the place in every log, and the rules in force there."""

import msgspec

from stream.core.rules import Topic
from stream.errors import InputError


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``meta`` of a checkpoint.

    ``positions`` are the next offsets to read, ``place`` the offset in `bonuses` up to which awards are latched,
    ``arrivals`` in Unix ms. ``documents`` are the programmes in force, of which ``late`` were loaded after their
    start; they came with ``edition``, when the next offsets to read were those of ``since``: empty where they were
    in force from the first record on. ``limits`` are those that decide results.
    ``cluster`` and ``partitions`` say which logs the offsets belong to.
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

    def encode(self) -> bytes:
        """As stored."""
        return _encode(self)

    @classmethod
    def decode(cls, stored: bytes) -> "Body":
        """From what was stored; raises ``InputError`` where another release stored it otherwise."""
        try:
            return _decode(stored)
        except msgspec.DecodeError as error:
            raise InputError(
                f"the checkpoint was written by another release and can't be read: {error}"
            ) from error


def said_at_commit(seq: int, at_ms: int) -> str:
    """The metadata of the group's offsets: which checkpoint they belong to, and when it was written."""
    return f"checkpoint {seq} {at_ms}"


def seq_said(metadata: str) -> int | None:
    """The checkpoint that the metadata of committed offsets names; None where they name none."""
    word, _, rest = metadata.partition(" ")
    seq = rest.partition(" ")[0]
    return int(seq) if word == "checkpoint" and seq.isdecimal() else None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Body).decode
