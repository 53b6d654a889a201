"""The topic `programs`: the programmes in force, a compacted record each, key program.

Workers follow it, so that all of them judge by the same rules; consumers of bonuses follow it to show creators what
counts today. A tombstone ends a programme.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from schemas.programs import ProgramDocument
from stream.errors import InputError

TOPIC = "programs"

HEADER_EDITIONS = "editions"
"""On every record: digests of the sets of programmes that were in force before, oldest first, comma-separated."""


class ProgramInForce(BaseModel):
    """A programme as it is in force."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    program: str
    version: int | None = Field(
        description="The version in force when this was published; null where none was yet. Later ones follow by "
        "their effective.from."
    )
    document: ProgramDocument | None = Field(description="That version's document.")
    versions: list[ProgramDocument] = Field(description="All versions, by number.")


class _Wire(msgspec.Struct):
    program: str
    version: int | None
    document: msgspec.Raw
    versions: list[msgspec.Raw]


class _Versions(msgspec.Struct):
    versions: list[msgspec.Raw]


class _Dated(msgspec.Struct):
    version: int
    effective: dict[str, str | None] = {}


def encode(program: str, documents: Sequence[str], now: datetime) -> bytes:
    """The record's value for a programme's canonical ``documents``, which stay as they are to the letter."""
    in_force = _in_force(documents, now)
    return msgspec.json.encode(
        _Wire(
            program=program,
            version=None if in_force is None else _dated(in_force).version,
            document=msgspec.Raw(b"null" if in_force is None else in_force.encode()),
            versions=[msgspec.Raw(document.encode()) for document in documents],
        )
    )


def decode(value: bytes) -> list[str]:
    """The canonical documents of a record's value; raises ``InputError`` for a foreign record."""
    try:
        return [bytes(document).decode() for document in _decode(value).versions]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The record is not one of programmes in force: {error}.") from error


def _in_force(documents: Sequence[str], now: datetime) -> str | None:
    begun = [document for document in documents if (start := _from(document)) is None or start <= now]
    return max(
        begun, key=lambda document: _from(document) or datetime.min.replace(tzinfo=now.tzinfo), default=None
    )


def _from(document: str) -> datetime | None:
    written = _dated(document).effective.get("from")
    return None if written is None else datetime.fromisoformat(written)


def _dated(document: str) -> _Dated:
    return msgspec.json.decode(document, type=_Dated)


_decode = msgspec.json.Decoder(_Versions).decode
