"""Canonical documents of small programmes, as ``load`` makes them."""

from schemas.programs import ProgramDocument
from stream.programs.documents import canonical


def document(program: str = "p", version: int = 1, **fields: object) -> str:
    """One version: every view counts, a tier at ten."""
    written = {
        "program": program,
        "version": version,
        "regions": "all",
        "subject": "creator",
        "window": {"rolling": "24h"},
        "tiers": [{"name": "t", "when": {"views": 10}, "reward": {"amount": "5.00", "currency": "USD"}}],
    }
    return canonical(ProgramDocument.model_validate(written | fields))


def dated(version: int, start: str | None, until: str | None = None, program: str = "p") -> str:
    """A version in force within ``[start, until)``."""
    return document(program, version, effective={"from": start, "until": until})
