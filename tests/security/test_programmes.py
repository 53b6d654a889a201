"""Programme files are data: whatever they hold, nothing of it is run, and what they cost is bounded.

What each YAML construct is told as is in tests/programs/test_reader; here are the attacks.
"""

import os
import resource
import time
from pathlib import Path
from sys import modules

import pytest

from stream.errors import InputError
from stream.programs import load
from stream.programs.load import MAX_MISTAKES
from stream.programs.reader import MAX_BYTES
from tests.programs.folders import folder, good, mistakes

FLOOD_BYTES = MAX_BYTES // 8
"""Of what takes the same time for each byte; tests/programs/test_laws has files as large as they may be."""

LONGEST_S = 10
"""Of CPU time; the slowest of these takes 0.3 s on a machine of 2026."""

MOST_KIB = 200 * 1024


def document(number: int) -> str:
    """One of many good documents in flow style, short: a programme of its own."""
    return (
        f"{{program: p{number}, version: 1, regions: all, subject: creator, window: {{rolling: 24h}}, "
        "tiers: [{name: a, when: {views: 1}, reward: {amount: '1', currency: USD}}]}\n"
    )


def laughs() -> str:
    """The billion laughs, two thousand levels of them."""
    lines = ["a0: &a0 [ha, ha]"]
    lines += [
        f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}, *a{level - 1}]" for level in range(1, 2_000)
    ]
    return "\n".join(lines)


def filled(part: str) -> str:
    return part * (FLOOD_BYTES // len(part))


ATTACKS = {
    "a billion laughs": laughs(),
    "aliases in aliases": filled("&a [*a, "),
    "merge keys": "a: &a {x: 1}\n" + "b: {<<: *a}\n" * 3_000,
    "tags that would run code": filled("- !!python/object/apply:os.system ['touch /tmp/owned']\n"),
    "tags of new objects": filled("- !!python/object/new:subprocess.Popen [[id]]\n"),
    "directives": filled("%TAG ! tag:yaml.org,2002:python/object/apply:os.\n"),
    "depth": filled("[") + "\n",
    "depth by indents": "\n".join(" " * level + "a:" for level in range(700)),
    "conditions in conditions": good(
        tiers="[{name: t, when: " + "{any: [{views: 2}, " * 45 + "{views: 1}" + "]}" * 45 + ", reward: {}}]"
    ),
    "an integer of a quarter of a million digits": good(version="9" * (MAX_BYTES - 500)),
    "a fraction of as many": good(tiers="[{when: {watch_hours: 0." + "3" * (MAX_BYTES - 500) + "}}]"),
    "an exponent that fills the memory": good(tiers="[{when: {watch_hours: 1e9999}}]"),
    "a window of ages": good(window="{rolling: 99999999999999d, step: 1s}"),
    "a window of too many panes": good(window="{rolling: 3650d, step: 1s}"),
    "a long string": good(program="x" * (MAX_BYTES - 500)),
    "escapes": good(program='"' + "\\u0041" * (MAX_BYTES // 6 - 100) + '"'),
    "thousands of keys": "\n".join(f"k{number}: 1" for number in range(4_000)),
    "one key again and again": filled("a: 1\n"),
    "documents without end": filled("--- a\n"),
    "documents with many mistakes each": filled("---\na: 1\n"),
    "versions that all clash": filled(document(0) + "---\n"),
    "a path for a time zone": good(window="{calendar: day, timezone: ../../../../etc/passwd}"),
    "a zone that is a folder": good(window="{calendar: day, timezone: America}"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_a_list_of_sentences(tmp_path: Path, attack: str) -> None:
    """Soon, with file and line, and without much memory."""
    place = folder(tmp_path, big=ATTACKS[attack].encode()[:MAX_BYTES])
    began_s, before_kib = time.process_time(), _most_kib()
    told = mistakes(place)
    assert time.process_time() - began_s < LONGEST_S
    assert _most_kib() - before_kib < MOST_KIB
    assert 0 < len(told) <= MAX_MISTAKES + 1
    assert all(line.startswith(("big.yaml:", "There are more than")) for line in told)
    assert max(map(len, told)) < 1_000
    assert not Path("/tmp/owned").exists()


def _most_kib() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_as_many_programmes_as_a_file_can_hold_are_loaded(tmp_path: Path) -> None:
    """The bounds are on attacks, not on people."""
    texts: list[str] = []
    while sum(map(len, texts)) < MAX_BYTES - 1_000:
        texts.append(document(len(texts)))
    found = load(folder(tmp_path, "---\n".join(texts)[: MAX_BYTES - 300].rpartition("---\n")[0]))
    assert len(found.programs) > 1_000


def test_many_mistakes_are_told_up_to_a_number(tmp_path: Path) -> None:
    """The first of them, and that there are more."""
    told = mistakes(folder(tmp_path, "--- a\n" * 2_000))
    assert len(told) == MAX_MISTAKES + 1
    assert told[0].startswith("creator.yaml:1: ")
    assert told[-1] == f"There are more than {MAX_MISTAKES} mistakes: these are the first."


def test_all_files_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is small enough; the file with which it is too much is named."""
    monkeypatch.setattr(modules[load.__module__], "MAX_FOLDER_BYTES", 2_000)
    place = folder(tmp_path, good(), fine=good(program="fine"), more="#" * 1_900)
    assert mistakes(place) == ["more.yaml:1: expected at most 2000 bytes in all files of the folder together"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    place = folder(tmp_path, good())
    os.mkfifo(place / "pipe.yaml")
    (place / "zeros.yaml").symlink_to("/dev/zero")
    assert mistakes(place) == [f"{name}.yaml:1: expected a regular file" for name in ("pipe", "zeros")]


def test_a_link_is_followed_as_config_maps_need_it(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(good())
    place = folder(tmp_path)
    (place / "linked.yaml").symlink_to(tmp_path / "data")
    assert len(load(place).programs) == 1


def test_a_refusal_repeats_only_a_little_of_what_was_written(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        load(folder(tmp_path, good(program="x" * 100_000, subject="\x1b[2J")))
    assert len(str(refusal.value)) < 1_000
    assert "\x1b" not in str(refusal.value)
