"""The topic `programs`: the programmes in force, a compacted record each, key program.

Workers follow it, so that all of them judge by the same rules; consumers of bonuses follow it to show creators what
counts today. A tombstone ends a programme.
"""

import json
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.instants import instant_ms
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
        description="The version in force when this was published; null where none was. Later ones follow by "
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
    program: str
    versions: list[msgspec.Raw]


class _Dated(msgspec.Struct):
    version: int
    effective: dict[str, str | None] = {}

    def instant_ms(self, name: str) -> int | None:
        return instant_ms(self.effective.get(name))


def encode(program: str, documents: Sequence[str], now_ms: int) -> bytes:
    """The record's value for a programme's canonical ``documents``, which stay as they are to the letter.

    ``now_ms`` (Unix ms) says which version it shows as the one in force.
    """
    in_force = _in_force(documents, now_ms)
    return msgspec.json.encode(
        _Wire(
            program=program,
            version=None if in_force is None else _dated(in_force).version,
            document=msgspec.Raw(b"null" if in_force is None else in_force.encode()),
            versions=[msgspec.Raw(document.encode()) for document in documents],
        )
    )


def program_of(key: bytes | None) -> str:
    """The programme that a record is about; raises ``InputError`` where the key names none."""
    try:
        name = (key or b"").decode()
    except UnicodeDecodeError:
        name = ""
    if not name:
        raise InputError("The record is not one of programmes in force: its key names no programme.")
    return name


def decode(key: bytes | None, value: bytes) -> list[str]:
    """The canonical documents of a record; raises ``InputError`` where it is foreign, or of a later release."""
    program = program_of(key)
    try:
        record = _decode(value)
        documents = [bytes(document).decode() for document in record.versions]
        programs = {_validated(document).program for document in documents}
    except (ValidationError, ValueError) as error:  # msgspec's and Unicode's are ValueErrors
        reason = " ".join(str(error).split())
        raise InputError(f"The record is not one of programmes in force: {reason}.") from error
    if {record.program} | programs != {program} or not programs:
        raise InputError(f"The record is not one of programmes in force: it is not all about {program}.")
    return documents


def shown(value: bytes) -> ProgramInForce:
    """A record's value for those who only show it; decimals stay as they are written. Raises ``ValueError``."""
    return ProgramInForce.model_validate(json.loads(value, parse_float=Decimal))


def editions_before(headers: Sequence[tuple[str, bytes]]) -> tuple[str, ...] | None:
    """The digests that a record's headers name; None where they name none."""
    said = dict(headers).get(HEADER_EDITIONS)
    return tuple(said.decode(errors="replace").split(",")) if said else None


def _validated(document: str) -> ProgramDocument:
    return ProgramDocument.model_validate(json.loads(document, parse_float=Decimal))


def _in_force(documents: Sequence[str], now_ms: int) -> str | None:
    """The document that began last, unless its end has passed."""
    begun = [
        (start_ms, text) for text in documents if (start_ms := _dated(text).instant_ms("from") or 0) <= now_ms
    ]
    if not begun:
        return None
    text = max(begun)[1]
    until_ms = _dated(text).instant_ms("until")
    return text if until_ms is None or now_ms < until_ms else None


def _dated(document: str) -> _Dated:
    return msgspec.json.decode(document, type=_Dated)


_decode = msgspec.json.Decoder(_Versions).decode
