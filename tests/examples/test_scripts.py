"""The example programs as people call them; that a bonus is paid once is tried with a real Kafka elsewhere."""

import json
import subprocess
import sys

import pytest

from tests.examples.test_programs import EXAMPLES

SAMPLES = EXAMPLES / "producers" / "sample_events.py"


@pytest.mark.parametrize(
    "name",
    [
        "producers/sample_events.py",
        "producers/with_aiokafka.py",
        "producers/with_confluent_kafka.py",
        "consumers/pay_once.py",
    ],
)
def test_a_program_without_its_arguments_says_what_it_takes(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, str(EXAMPLES / name)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"usage: {name.partition('/')[2]} ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("count", [1, 50_000])
def test_sample_events_end_in_silence_when_their_reader_has_enough(count: int) -> None:
    """While they are printed, and when the last ones are written at the end."""
    samples = subprocess.Popen(
        [sys.executable, str(SAMPLES), str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert samples.stdout is not None
    if count > 1:
        assert json.loads(samples.stdout.readline())["type"] in ("view", "like", "share", "comment")
    samples.stdout.close()
    assert samples.stderr is not None
    with samples.stderr as told:
        assert told.read() == ""
    assert samples.wait(60) == 0
