"""Log lines: JSON for machines, words for people, libraries only from warnings up."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from stream import logs


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def test_away_from_a_terminal_a_line_is_one_json_object() -> None:
    out = StringIO()
    logs.set_up(to=out)
    logs.logger("stream.worker").info("partition taken", partition=3, seconds=0.4)
    line = json.loads(out.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "partition taken",
        "level": "info",
        "logger": "stream.worker",
        "partition": 3,
        "seconds": 0.4,
    }


def test_an_exception_stays_on_its_line() -> None:
    out = StringIO()
    logs.set_up(to=out)
    try:
        raise RuntimeError("lost")
    except RuntimeError:
        logs.logger("stream.worker").exception("partition thrown away")
    assert "RuntimeError: lost" in json.loads(out.getvalue())["exception"]


def test_libraries_speak_from_warnings_up_through_the_same_way() -> None:
    out = StringIO()
    logs.set_up(to=out)
    logging.getLogger("aiokafka.consumer").info("chatter")
    logging.getLogger("faust.app").warning("lost %s", "x")
    (line,) = map(json.loads, out.getvalue().splitlines())
    assert (line["event"], line["logger"], line["level"]) == ("lost x", "faust.app", "warning")


def test_at_debug_libraries_speak_too() -> None:
    out = StringIO()
    logs.set_up("debug", to=out)
    logging.getLogger("aiokafka.consumer").debug("chatter")
    assert "chatter" in out.getvalue()


def test_the_level_holds_for_our_own_lines() -> None:
    out = StringIO()
    logs.set_up("warning", style="console", to=out)
    logs.logger("stream.worker").info("unsaid")
    logs.logger("stream.worker").warning("said", partition=1)
    assert "unsaid" not in out.getvalue()
    assert "said" in out.getvalue()
    assert "partition=1" in out.getvalue()


def test_a_library_says_the_same_once_in_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    """A broker that is away is told of, not hundreds of times a second."""
    logs.set_up(style="json")
    for attempt in range(50):
        logging.getLogger("aiokafka").error("Unable connect to node %s: %s", 1, attempt)
        logs.logger("stream.worker").warning("ours", attempt=attempt)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len([line for line in lines if line["logger"] == "aiokafka"]) == 1
    assert len([line for line in lines if line["event"] == "ours"]) == 50
