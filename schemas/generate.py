"""Write the JSON Schemas and the AsyncAPI document from the models: ``python -m schemas.generate``.

What it writes is committed, so that nobody needs Python to read it; a test fails where it is out of date.
"""

import json
from pathlib import Path

import yaml
from pydantic import BaseModel

from schemas.asyncapi import BONUS_SCHEMA, EVENT_SCHEMA, PROGRAM_IN_FORCE_SCHEMA, document
from schemas.bonuses import BonusEvent
from schemas.events import EngagementEvent, EngagementLine
from schemas.programs import ProgramDocument
from schemas.rulebook import ProgramInForce

FOLDER = Path(__file__).parent / "generated"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MODELS: dict[str, type[BaseModel]] = {
    EVENT_SCHEMA: EngagementEvent,
    "engagement-line.schema.json": EngagementLine,
    BONUS_SCHEMA: BonusEvent,
    "program.schema.json": ProgramDocument,
    PROGRAM_IN_FORCE_SCHEMA: ProgramInForce,
}


def files() -> dict[str, str]:
    """The text of every generated file, by its name."""
    texts = {name: _json_schema(model) for name, model in _MODELS.items()}
    texts["asyncapi.yaml"] = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)
    return texts


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _json_schema(model: type[BaseModel]) -> str:
    schema = {"$schema": _DIALECT} | model.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
