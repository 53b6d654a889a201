"""A backtest over Kafka that was broken off goes on where it was, and one that can't go on says why."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from stream.backtest import Range, over_kafka
from stream.backtest.part import Job
from stream.backtest.pool import News, run_all
from stream.errors import BonusError, InputError
from tests.cli.test_main import bonus
from tests.kafka.backtests import Backtests
from tests.kafka.broker import free_ports
from tests.kafka.servers import Kafka
from tests.kafka.traffic import send_traffic
from tests.kafka.workers import programs_in

PARTITIONS = 4
Listen = Callable[[News], None]


@pytest.fixture
def backtests(kafka: Kafka, tmp_path: Path) -> Backtests:
    return Backtests(kafka, tmp_path)


class Runs:
    """Stands before the processes: notes which partitions are run, and breaks off after ``most`` of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.numbers: list[int] = []
        self.most: int | None = None
        monkeypatch.setattr(over_kafka, "run_all", self)

    def __call__(self, job: Job, numbers: Sequence[int], workers: int, listen: Listen) -> None:
        chosen = numbers[: self.most]
        self.numbers = list(chosen)
        run_all(job, chosen, workers, listen)
        if self.most is not None:
            raise KeyboardInterrupt


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(monkeypatch)


async def test_what_is_done_is_not_run_again_and_the_end_stays_where_it_was(
    backtests: Backtests, runs: Runs, seed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The result is that of a run that was never broken off, whatever has been written to the topics since."""
    kafka, programs = backtests.kafka, programs_in(backtests.folder)
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=2_000)
    whole = await backtests.run(programs, out=backtests.folder / "whole.ndjson")
    rejected = backtests.rejected.read_text()

    runs.most = 2
    with pytest.raises(KeyboardInterrupt):
        await backtests.run(programs)
    first = runs.numbers
    assert not backtests.out.exists()
    await send_traffic(kafka.bootstrap, kafka.prefix, seed + 1, records=500)
    runs.most = None
    assert await backtests.run(programs) == whole
    assert sorted([*first, *runs.numbers]) == list(range(PARTITIONS))
    assert backtests.out.read_text() == (backtests.folder / "whole.ndjson").read_text()
    assert backtests.rejected.read_text() == rejected
    assert "out.ndjson.partial: 2 of 4 partitions are done" in capfd.readouterr().err
    assert not backtests.work.exists()


@pytest.mark.parametrize("change", ["programmes", "range", "comparison"])
async def test_what_is_kept_of_another_run_is_not_used(
    backtests: Backtests, runs: Runs, seed: int, change: str
) -> None:
    kafka, programs = backtests.kafka, programs_in(backtests.folder)
    await kafka.create_topics(partitions=PARTITIONS)
    await send_traffic(kafka.bootstrap, kafka.prefix, seed, records=200)
    runs.most = 2
    with pytest.raises(KeyboardInterrupt):
        await backtests.run(programs)
    runs.most = None
    if change == "programmes":
        (programs / "videos.yaml").unlink()
    wanted = Range(to_ms=1) if change == "range" else Range()
    await backtests.run(programs, wanted, programs if change == "comparison" else None)
    assert sorted(runs.numbers) == list(range(PARTITIONS))


async def test_a_folder_of_somebody_else_is_left_alone(backtests: Backtests) -> None:
    await backtests.kafka.create_topics(partitions=1)
    backtests.work.mkdir()
    (backtests.work / "diary").write_text("dear diary")
    with pytest.raises(InputError, match="is no work folder of a backtest"):
        await backtests.run(backtests.programs())
    assert (backtests.work / "diary").read_text() == "dear diary"


async def test_an_output_that_is_no_file_is_refused(backtests: Backtests) -> None:
    os.mkfifo(backtests.out)
    with pytest.raises(InputError, match="must be a file"):
        await backtests.run(backtests.programs())


async def test_a_killed_process_is_told_in_a_sentence(
    backtests: Backtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel does it, where memory has run out."""
    await backtests.kafka.create_topics(partitions=PARTITIONS)

    def shot(job: Job, numbers: Sequence[int], workers: int, listen: Listen) -> None:
        def listen_and_shoot(news: News) -> None:
            listen(news)
            for child in multiprocessing.active_children():
                child.kill()

        run_all(job, numbers, 1, listen_and_shoot)

    monkeypatch.setattr(over_kafka, "run_all", shot)
    with pytest.raises(BonusError, match=r"was killed \(exit code -9\).*run the same command again"):
        await backtests.run(backtests.programs())
    assert multiprocessing.active_children() == []


def test_a_broker_that_is_not_there_is_3(backtests: Backtests) -> None:
    [port] = free_ports(1)
    programs = str(backtests.programs())
    arguments = ["--programs", programs, "--out", str(backtests.out), "--kafka", f"127.0.0.1:{port}"]
    ended = bonus("backtest", *arguments, "--connect-timeout", "1s")
    assert (ended.code, ended.out) == (3, "")
    [sentence] = ended.err.splitlines()
    assert sentence == (
        f"Kafka at 127.0.0.1:{port} could not be reached within 1 s, or refused the connection."
    )
    assert not backtests.out.exists()
