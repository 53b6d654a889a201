"""The topics as an AsyncAPI 3.0 document, for those who produce to them or consume from them.

Payloads are references to the JSON Schemas beside it; what is said here is what a schema can't: keys, headers,
partitions, and which way the records go.
"""

from schemas import bonuses, rulebook
from schemas.rejections import CODES, ERROR, ERROR_DETAIL, LATE, ORIGIN, REJECTED, TRUNCATED
from stream.core.rules import TOPICS

EVENT_SCHEMA = "engagement-event.schema.json"
BONUS_SCHEMA = "bonus-event.schema.json"
PROGRAM_IN_FORCE_SCHEMA = "program-in-force.schema.json"

_CREATOR_KEY = {
    "type": "string",
    "description": "The creator_id, in UTF-8. The partition is (murmur2(creator_id) & 0x7fffffff) mod the number of "
    "partitions, as the Java client, aiokafka and librdkafka's murmur2_random place that key.",
}
_ANY_KEY = {"description": "The original record's key, whatever it was."}


def document() -> dict[str, object]:
    """The whole document, ready for YAML; topic names are without prefix."""
    outputs = {
        bonuses.TOPIC: "Tiers reached, each once. Read with isolation.level=read_committed.",
        REJECTED: "Records that could not be accepted, with the reason in their headers; at least once.",
        LATE: "Records that came later than allowed; at least once.",
        rulebook.TOPIC: "The programmes in force, a compacted record each, in one partition. A record without a "
        "value ends its programme. Read with isolation.level=read_committed.",
    }
    message_of = dict.fromkeys(TOPICS, "engagement") | {
        bonuses.TOPIC: "bonus",
        REJECTED: "turnedAway",
        LATE: "turnedAway",
        rulebook.TOPIC: "programInForce",
    }
    purposes = {topic: f"Engagement events: {topic}." for topic in TOPICS} | outputs
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Bonus engine",
            "version": "1.0.0",
            "description": "Engagement events in, bonuses out. All topics have the same number of partitions, but "
            "for programs, which has one.",
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, purposes[topic], name) for topic, name in message_of.items()},
        "operations": {
            **{f"{topic}.receive": _operation("receive", topic, message_of[topic]) for topic in TOPICS},
            **{f"{topic}.send": _operation("send", topic, message_of[topic]) for topic in outputs},
        },
        "components": {
            "messages": {
                "engagement": _engagement(),
                "bonus": _bonus(),
                "turnedAway": _turned_away(),
                "programInForce": _program_in_force(),
            }
        },
    }


def _channel(topic: str, purpose: str, message: str) -> dict[str, object]:
    return {
        "address": topic,
        "description": purpose,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operation(action: str, topic: str, message: str) -> dict[str, object]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{message}"}],
    }


def _payload(schema: str) -> dict[str, object]:
    return {
        "schemaFormat": "application/schema+json;version=draft-2020-12",
        "schema": {"$ref": f"./{schema}"},
    }


def _engagement() -> dict[str, object]:
    return {
        "summary": "A view, like, share or comment of one video; the topic says which.",
        "payload": _payload(EVENT_SCHEMA),
        "bindings": {"kafka": {"key": _CREATOR_KEY}},
    }


def _bonus() -> dict[str, object]:
    return {
        "summary": "A tier reached by a creator or a video.",
        "payload": _payload(BONUS_SCHEMA),
        "headers": _headers({bonuses.HEADER_APP: "The application that wrote it."}),
        "bindings": {"kafka": {"key": _CREATOR_KEY}},
    }


def _turned_away() -> dict[str, object]:
    codes = ", ".join(CODES)
    headers = {
        ERROR: f"Why, the first that fits of: {codes}.",
        ERROR_DETAIL: "One sentence for the producer.",
        ORIGIN: "topic/partition/offset of the original; the same origin again is a repeat.",
        TRUNCATED: "Only where the value was cut: its whole length in bytes.",
    }
    return {
        "summary": "A record that was turned away: partition number, key, value and headers as they were.",
        "payload": {"description": "The original value, which may be anything."},
        "headers": _headers(headers, optional=TRUNCATED),
        "bindings": {"kafka": {"key": _ANY_KEY}},
    }


def _program_in_force() -> dict[str, object]:
    editions = "Digests of the sets of programmes that were in force before, oldest first, comma-separated."
    return {
        "summary": "A programme as it is in force: the version that counts now, and all its versions.",
        "payload": _payload(PROGRAM_IN_FORCE_SCHEMA),
        "headers": _headers({rulebook.HEADER_EDITIONS: editions}),
        "bindings": {"kafka": {"key": {"type": "string", "description": "The programme's name."}}},
    }


def _headers(purposes: dict[str, str], optional: str | None = None) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in purposes.items()},
        "required": [name for name in purposes if name != optional],
    }
