"""A backtest reads files as one log and writes bonuses and rejected lines, whole or not at all."""

import json
import os
from pathlib import Path

import pytest

from stream.backtest import Summary, run_over_files
from stream.core.rules import Limits
from stream.errors import InputError

PROGRAM = """
program: hearts
version: 1
regions: all
subject: creator
window: {tumbling: 1h}
tiers:
  - {name: two, when: {likes: 2}, reward: {amount: "5.00", currency: USD}}
  - {name: seen, when: {views: 1, likes: 1}, reward: {amount: "1.00", currency: USD}}
award: once_per_window
"""
T = 1_767_225_600_000


def line(event_id: str, **fields: object) -> str:
    """An accepted like at ``T``, unless ``fields`` say otherwise; a field that is ``...`` is left out."""
    event: dict[str, object] = {
        "type": "like",
        "event_id": event_id,
        "creator_id": "ada",
        "video_id": "v1",
        "viewer_id": "bob",
        "occurred_at": T,
        "region": "US",
    }
    return json.dumps({name: value for name, value in (event | fields).items() if value is not ...})


class Backtest:
    """A folder with the programme, and what a run over the given contents came to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "bonuses.ndjson"
        self.rejected = folder / "rejected.ndjson"
        self.programs = folder / "programs"
        self.programs.mkdir()
        (self.programs / "hearts.yaml").write_text(PROGRAM)

    def file(self, name: str, content: str | bytes) -> Path:
        """An events file."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, *events: Path, progress: bool = False) -> Summary:
        """Run over files."""
        return run_over_files(self.programs, events, self.out, self.rejected, Limits(), progress)

    def bonuses(self) -> list[tuple[str, int, int]]:
        """Tier, partition and offset of each bonus, in the order of the output."""
        found = [json.loads(each) for each in self.out.read_text().splitlines()]
        return [(each["tier"], each["evidence"]["partition"], each["evidence"]["offset"]) for each in found]

    def rejections(self) -> list[tuple[str, int, str]]:
        """File, line and code of each rejected line."""
        found = [json.loads(each) for each in self.rejected.read_text().splitlines()]
        return [(Path(each["file"]).name, each["line"], each["error"]) for each in found]


@pytest.fixture
def backtest(tmp_path: Path) -> Backtest:
    return Backtest(tmp_path)


def test_bonuses_are_written_in_the_order_in_which_they_are_awarded(backtest: Backtest) -> None:
    log = [line("a"), line("b"), line("c", type="view"), line("d", occurred_at=T + 3_600_000), line("e")]
    backtest.run(backtest.file("log", "\n".join(log)))
    assert backtest.bonuses() == [("two", 0, 1), ("seen", 0, 2)]


def test_a_bonus_is_the_public_event(backtest: Backtest) -> None:
    backtest.run(backtest.file("log", f"{line('a')}\n{line('b')}\n"))
    (bonus,) = map(json.loads, backtest.out.read_text().splitlines())
    assert (bonus["type"], bonus["program"], bonus["metrics"]) == (
        "threshold_reached",
        "hearts",
        {"likes": 2},
    )
    assert bonus["evidence"] == {"event_id": "b", "topic": "likes", "partition": 0, "offset": 1}


@pytest.mark.parametrize("content", ["", line("a"), "\n", "no json"])
def test_the_output_is_always_written(backtest: Backtest, content: str) -> None:
    backtest.run(backtest.file("log", content))
    assert backtest.out.read_bytes() == b""


def test_files_are_one_log_in_the_order_given_also_topic_after_topic(backtest: Backtest) -> None:
    views = backtest.file(
        "views", "\n".join(line(f"v{n}", type="view", occurred_at=T + n * 60_000) for n in range(900))
    )
    likes = backtest.file("likes", "\n".join(line(f"l{n}", occurred_at=T + n * 7_200_000) for n in range(8)))
    backtest.run(views, likes)
    assert backtest.bonuses() == [("seen", 0, 900 + n) for n in range(8)]


def test_a_line_may_say_its_place_in_the_log(backtest: Backtest) -> None:
    log = [
        line("a", partition=3, offset=70),
        line("b", partition=4, offset=80),
        line("c", partition=3, offset=71),
        line("d", partition=4),
    ]
    backtest.run(backtest.file("log", "\n".join(log)))
    assert backtest.bonuses() == [("two", 3, 71), ("two", 4, 3)]


def test_a_timestamp_decides_lateness_and_by_default_is_the_time_of_the_event(backtest: Backtest) -> None:
    log = [
        line("a", timestamp=T + 3_600_001),
        line("b", partition=1),
        line("c", occurred_at=T - 3_600_001, partition=1),
    ]
    summary = backtest.run(backtest.file("log", "\n".join(log)))
    assert backtest.rejections() == [("log", 1, "late"), ("log", 3, "late")]
    assert (summary.accepted, summary.turned_away) == (1, {"late": 2})


def test_lines_end_with_lf_or_cr_lf_and_the_last_one_with_nothing(backtest: Backtest) -> None:
    summary = backtest.run(backtest.file("log", f"{line('a')}\r\n{line('b')}\n{line('c')}"))
    assert (summary.lines, summary.accepted) == (3, 3)


def test_every_line_that_is_not_accepted_is_counted_and_told(backtest: Backtest) -> None:
    first = backtest.file("first", f"{line('a')}\n\n{{\n[]\n{line('b', region=...)}\n{line('a')}\n")
    second = backtest.file(
        "second", f"{line('c', type='viewed')}\n{line('d', occurred_at=T + 1, timestamp=-1)}\n"
    )
    summary = backtest.run(first, second)
    assert backtest.rejections() == [
        ("first", 2, "empty"),
        ("first", 3, "not_json"),
        ("first", 4, "not_object"),
        ("first", 5, "missing_field"),
        ("second", 1, "bad_value"),
    ]
    assert (summary.lines, summary.accepted, summary.duplicates) == (8, 2, 1)
    counted = {"empty": 1, "not_json": 1, "not_object": 1, "missing_field": 1, "bad_value": 1}
    assert (summary.turned_away, summary.bonuses) == (counted, 1)


def test_a_rejected_line_is_kept_as_text(backtest: Backtest) -> None:
    backtest.run(backtest.file("log", b'{"caf\xc3\xa9": "\xff"}\r\n'))
    (told,) = map(json.loads, backtest.rejected.read_text().splitlines())
    assert told["value"] == '{"café": "\\xff"}'
    assert told["error"] == "not_json"
    assert told["error_detail"]


def test_a_file_whose_name_is_no_text_is_named_all_the_same(backtest: Backtest) -> None:
    odd = os.fsdecode(b"day-\xff.ndjson")
    summary = backtest.run(backtest.file(odd, "{}"))
    assert backtest.rejections() == [("day-\\xff.ndjson", 1, "missing_field")]
    assert summary.source.endswith("day-\\xff.ndjson")


def test_a_line_that_is_too_long_is_cut_and_the_next_one_read(backtest: Backtest) -> None:
    longest = line("a", padding="").ljust(65_536)
    log = f"{longest}\r\n{longest} \n{line('b')}\n{' ' * 3_000_000}\n{line('c')}"
    summary = backtest.run(backtest.file("log", log))
    assert backtest.rejections() == [("log", 2, "too_large"), ("log", 4, "too_large")]
    cut = json.loads(backtest.rejected.read_text().splitlines()[1])
    assert (cut["truncated"], len(cut["value"]) < 66_000) == (3_000_001, True)
    assert summary.accepted == 3


def test_a_file_that_is_missing_is_told_before_anything_is_written(backtest: Backtest) -> None:
    there = backtest.file("there", line("a"))
    with pytest.raises(InputError, match=r"missing.ndjson can't be read: No such file"):
        backtest.run(there, backtest.folder / "missing.ndjson")
    with pytest.raises(InputError, match="can't be read: Is a directory"):
        backtest.run(there, backtest.folder)
    assert not backtest.out.exists()


def test_wrong_programmes_are_told_before_anything_is_written(backtest: Backtest) -> None:
    (backtest.programs / "hearts.yaml").write_text(PROGRAM.replace("tumbling: 1h", "tumbling: soon"))
    with pytest.raises(InputError, match=r"hearts\.yaml:6"):
        backtest.run(backtest.file("log", line("a")))
    assert not backtest.out.exists()


def test_an_output_never_takes_the_place_of_an_input(backtest: Backtest) -> None:
    log = backtest.file("bonuses.ndjson", line("a"))
    with pytest.raises(InputError, match="given twice"):
        backtest.run(log)
    assert log.read_text() == line("a")


def test_an_output_that_cannot_be_written_is_told(backtest: Backtest) -> None:
    backtest.out = backtest.folder / "no" / "such" / "folder.ndjson"
    with pytest.raises(InputError, match=r"folder.ndjson can't be written: No such file or directory."):
        backtest.run(backtest.file("log", line("a")))


def test_a_run_that_breaks_off_leaves_the_earlier_result_and_nothing_new(
    backtest: Backtest, monkeypatch: pytest.MonkeyPatch
) -> None:
    backtest.out.write_text("earlier")
    encoded: list[object] = []

    def breaks_off(bonus: object) -> bytes:
        encoded.append(bonus)
        raise KeyboardInterrupt

    monkeypatch.setattr("stream.backtest.files.encode", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        backtest.run(backtest.file("log", f"{line('a')}\n{line('b')}"))
    assert len(encoded) == 1
    assert backtest.out.read_text() == "earlier"
    assert sorted(path.name for path in backtest.folder.iterdir()) == ["bonuses.ndjson", "log", "programs"]


def test_a_pipe_is_written_directly(backtest: Backtest) -> None:
    backtest.out = backtest.folder / "pipe"
    os.mkfifo(backtest.out)
    reader = os.open(backtest.out, os.O_RDONLY | os.O_NONBLOCK)
    backtest.run(backtest.file("log", f"{line('a')}\n{line('b')}"))
    assert json.loads(os.read(reader, 65_536))["tier"] == "two"
    os.close(reader)


def test_a_link_to_a_pipe_is_written_directly(backtest: Backtest) -> None:
    """As ``/dev/stdout`` is one, where the output goes on to another program."""
    reader, writer = os.pipe()
    backtest.out = Path(f"/dev/fd/{writer}")
    backtest.run(backtest.file("log", f"{line('a')}\n{line('b')}"))
    os.close(writer)
    assert json.loads(os.read(reader, 65_536))["tier"] == "two"
    os.close(reader)


def test_the_bar_is_drawn_on_a_terminal_only(
    backtest: Backtest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = backtest.file("log", line("a"))
    backtest.run(log, progress=True)
    assert capfd.readouterr().err == ""
    ours, theirs = os.openpty()
    with open(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        backtest.run(log, progress=False)
        backtest.run(log, progress=True)
        terminal.flush()
        assert b"Reading" in os.read(ours, 65_536)
    os.close(ours)


def test_repeated_lines_change_nothing(backtest: Backtest) -> None:
    log = [
        line("a", offset=1),
        line("a", offset=1),
        line("b", offset=2),
        line("a", offset=1),
        line("b", offset=2),
    ]
    backtest.run(backtest.file("log", "\n".join(log)))
    assert backtest.bonuses() == [("two", 0, 2)]
