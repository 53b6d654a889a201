"""Worker processes as an operator runs them, and waiting for what they say, how they end, and how far they are.

A test waits for a condition, never for a time: a log line, the end of the process, the group's offsets. Every wait
has a bound, and its failure shows what the workers said.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from stream.core.rules import TOPICS, Program
from stream.programs.load import load
from tests.kafka.broker import leash
from tests.kafka.logs_of import settled
from tests.kafka.servers import Kafka

PATIENCE_S = 120.0
"""Far more than anything takes that a worker does by itself, also on a machine with much else to do."""

_LONGEST_LINE = 1 << 22
_SHOWN_LINES = 15

Line = Mapping[str, object]
"""A log line: ``event``, ``level``, and the line's own fields."""


class Worker:
    """One worker process: its log as it comes, and its end."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._news = asyncio.Condition()
        self._listening = asyncio.create_task(self._listen())
        self.name = name
        self.lines: list[Line] = []
        self.sentences: list[str] = []
        """What it wrote to stderr beside the log: the sentence that it ended with."""

    @property
    def code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.returncode

    async def said(
        self, event: str, *, since: int = 0, within_s: float = PATIENCE_S, **fields: object
    ) -> Line:
        """The first log line of this event with these fields, also one from before; ``since`` so many lines."""
        lines = await self.said_often(1, event, since=since, within_s=within_s, **fields)
        return lines[0]

    async def said_often(
        self, times: int, event: str, *, since: int = 0, within_s: float = PATIENCE_S, **fields: object
    ) -> list[Line]:
        """The log lines of this event with these fields, once there are so many."""
        wanted = {"event": event, **fields}
        return await self._heard(
            times, lambda line: wanted.items() <= line.items(), f"{wanted}", since, within_s
        )

    async def mentioned(
        self, words: str, *, times: int = 1, since: int = 0, within_s: float = PATIENCE_S
    ) -> Line:
        """The first log line whose event or reason holds these words, once there are so many."""

        def holds(line: Line) -> bool:
            return any(words in str(line.get(name, "")) for name in ("event", "reason"))

        return (await self._heard(times, holds, repr(words), since, within_s))[0]

    async def ended(self, *, within_s: float = PATIENCE_S) -> int:
        """The exit code, once it has ended by itself or as it was told to."""
        await asyncio.wait([self._listening], timeout=within_s)
        assert self._listening.done(), f"{self.name} has not ended within {within_s:g} s; {self}"
        return await self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop: SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def suspend(self) -> None:
        """Stop it where it is, as a machine does that sleeps: SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on: SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL: it does nothing more at all."""
        if self.code is None:
            self._process.kill()
        await self.ended()

    def __str__(self) -> str:
        log = [json.dumps(line) for line in self.lines[-_SHOWN_LINES:]]
        return "\n".join([f"{self.name} (exit code {self.code}) said last:", *log, *self.sentences])

    async def _heard(
        self, times: int, wanted: Callable[[Line], bool], what: str, since: int, within_s: float
    ) -> list[Line]:
        def found() -> list[Line]:
            return [line for line in self.lines[since:] if wanted(line)]

        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: len(found()) >= times or self._listening.done())
        except TimeoutError:
            pass
        if len(found()) < times:
            raise AssertionError(f"{self.name} did not say {times} x {what} within {within_s:g} s; {self}")
        return found()

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        async for raw in self._process.stderr:
            text = raw.decode(errors="replace").rstrip("\n")
            line = _log_line(text)
            async with self._news:
                if line is None:
                    self.sentences.append(text)
                else:
                    self.lines.append(line)
                self._news.notify_all()
        await self._process.wait()
        async with self._news:
            self._news.notify_all()


def _log_line(text: str) -> Line | None:
    try:
        found: object = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class Fleet:
    """The workers of one test, with one group, one Redis, one folder of programmes; all end with the test."""

    def __init__(self, kafka: Kafka, redis_url: str, group: str, programs: Path) -> None:
        self.kafka = kafka
        self.redis_url = redis_url
        self.group = group
        self.programs = programs
        self.started: list[Worker] = []

    def environment(self, **settings: object) -> dict[str, str]:
        """The settings of a worker as environment variables; those given win."""
        own = {
            "kafka": self.kafka.bootstrap,
            "topic_prefix": self.kafka.prefix,
            "redis": self.redis_url,
            "group": self.group,
            "programs": self.programs,
            "log_format": "json",
        }
        outer = {name: value for name, value in os.environ.items() if not name.startswith("BONUS_")}
        return outer | {f"BONUS_{name.upper()}": str(value) for name, value in (own | settings).items()}

    async def start(self, **settings: object) -> Worker:
        """Start one more `bonus worker`; returns at once."""
        return await self.run([sys.executable, "-m", "stream.cli.main", "worker"], **settings)

    async def run(self, command: list[str], **settings: object) -> Worker:
        """Start a worker by another command."""
        process = await asyncio.create_subprocess_exec(
            *leash(),
            *command,
            env=self.environment(**settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        worker = Worker(process, f"worker {len(self.started) + 1}")
        self.started.append(worker)
        return worker

    async def start_serving(self, partitions: int = 1, /, **settings: object) -> Worker:
        """Start one, and return when it has taken so many partitions; others may follow."""
        worker = await self.start(**settings)
        await worker.said_often(partitions, "partition taken")
        return worker

    def rules(self) -> tuple[Program, ...]:
        """The programmes as the engine reads them."""
        return load(self.programs).programs

    async def settled(self) -> None:
        """Return when a checkpoint covers all that the inputs hold now."""
        inputs = [self.kafka.prefix + topic for topic in TOPICS]
        try:
            await settled(self.kafka.bootstrap, self.group, *inputs, given_up=self._over)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *map(str, self.started)])) from None

    def _over(self) -> bool:
        return all(worker.code is not None for worker in self.started)

    async def end(self) -> None:
        """Kill whoever still runs."""
        for worker in self.started:
            await worker.kill()


def programs_in(folder: Path) -> Path:
    """A copy of the sample programmes, which a test may change."""
    return shutil.copytree(Path(__file__).parent / "programs", folder / "programs")
