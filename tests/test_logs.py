"""Log lines: JSON for machines, words for people, libraries only from warnings up."""

import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest

from stream import logs
from stream.errors import InputError


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


def test_what_is_printed_as_a_sentence_is_not_logged_as_a_crash() -> None:
    """mode logs what a service ends with; a mistake in the software is logged with its traceback."""
    out = StringIO()
    logs.set_up(to=out)
    library = logging.getLogger("faust.bonus")
    for reason in (InputError("Partition counts differ."), RuntimeError("lost")):
        library.error("Crashed reason=%r", reason)
        try:
            raise reason
        except Exception:
            library.exception("Crashed again")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["Crashed reason=RuntimeError('lost')", "Crashed again"]
    assert "RuntimeError: lost" in lines[1]["exception"]


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


@pytest.mark.parametrize(("style", "lines"), [("json", 1), ("console", 0)])
def test_why_a_worker_ended_is_in_the_log_where_nobody_sees_the_sentence(style: str, lines: int) -> None:
    out = StringIO()
    logs.set_up(style=style, to=out)  # type: ignore[arg-type]
    logs.logger("stream.worker").critical(logs.ENDED, reason="The sentence.")
    assert len(out.getvalue().splitlines()) == lines
