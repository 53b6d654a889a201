import json
from collections.abc import Iterator

import pytest
import yaml

from schemas.bonuses import BonusEvent
from schemas.events import EXPECTED, EngagementEvent, EngagementLine, Event
from schemas.generate import FOLDER, files


@pytest.mark.parametrize("name", sorted(files()))
def test_the_committed_file_is_what_the_models_say(name: str) -> None:
    committed = (FOLDER / name).read_text(encoding="utf-8")
    assert files()[name] == committed, "out of date: run python -m schemas.generate"


def test_no_file_is_left_from_a_model_that_is_gone() -> None:
    assert set(files()) == {path.name for path in FOLDER.iterdir()}


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, item in node.items():
            if key == "$ref":
                yield item
            yield from references(item)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = yaml.safe_load(files()["asyncapi.yaml"])
    for reference in references(document):
        if reference.startswith("#/"):
            node = document
            for part in reference[2:].split("/"):
                node = node[part]
        else:
            assert (FOLDER / reference).is_file()


def test_every_topic_is_a_channel_with_one_operation() -> None:
    document = yaml.safe_load(files()["asyncapi.yaml"])
    topics = {"views", "likes", "shares", "comments", "bonuses", "rejected", "late", "programs"}
    assert topics == set(document["channels"])
    assert topics == {operation.split(".")[0] for operation in document["operations"]}


def test_the_fast_and_the_strict_event_have_the_same_fields() -> None:
    assert list(EngagementEvent.model_fields) == list(Event.__struct_fields__)


def test_every_field_says_what_it_must_be() -> None:
    assert set(EngagementLine.model_fields) == set(EXPECTED)


def test_a_schema_offers_null_only_where_null_is_accepted() -> None:
    properties = json.loads(files()["engagement-line.schema.json"])["properties"]
    nullable = {name for name, schema in properties.items() if {"type": "null"} in schema.get("anyOf", [])}
    assert nullable == {"campaign_id", "added_at"}
    assert nullable == {name for name, schema in properties.items() if schema.get("default", 0) is None}


def test_a_bonus_needs_every_field() -> None:
    required = json.loads(files()["bonus-event.schema.json"])["required"]
    assert list(BonusEvent.model_fields) == required
