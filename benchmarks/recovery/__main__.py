"""How long a partition pays nothing: from a worker's end to the first bonus of the next one.

    python -m benchmarks.recovery                       # no state, a million subjects, and five million ids
    python -m benchmarks.recovery --subjects 20000 --ids 20000 --json recovery.json --svg docs/img

One partition, a hundred views a second that each pay a bonus. For each state:

```
kill -9          the owner is killed while another worker stands by
SIGTERM          the owner is told to stop while another stands by
start            a worker starts where there is none
```
A state is planted in Redis by the store itself. The run fails if a bonus is missing or doubled at the end.
"""

import asyncio
import json as json_format
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console
from rich.table import Table

from benchmarks import command
from benchmarks.recovery import drawing
from benchmarks.recovery.planted import PARTITION, State, plant
from benchmarks.recovery.timeline import PARTS, Recovery, await_removal, parts, said_s
from benchmarks.recovery.traffic import PROGRAM, Paid, Traffic, flowing
from benchmarks.servers import Servers, servers
from benchmarks.worker import WorkerFailed
from tests.kafka.servers import Kafka
from tests.kafka.workers import Fleet, Line, Worker

PATIENCE_S = 120.0
_TABLE_WIDTH = 150


def main(
    subjects: Annotated[int, typer.Option(min=1, help="Subjects of the large state.")] = 1_000_000,
    ids: Annotated[int, typer.Option(min=1, help="Event ids of the largest state.")] = 5_000_000,
    session_timeout: Annotated[str, typer.Option(help="As of bonus worker.")] = "10s",
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the parts into this folder.")] = None,
) -> None:
    """How long a partition pays nothing after a worker's end."""
    states = (State(0, 0), State(subjects, 0), State(subjects, ids))
    console = Console(soft_wrap=True, highlight=False)
    found: list[Recovery] = []
    with TemporaryDirectory(prefix="bonus-recovery-") as folder, servers() as on:
        for number, state in enumerate(states):
            console.print(f"{state} …")
            programs = Path(folder) / f"programs-{number}"
            programs.mkdir()
            (programs / "recovery.yaml").write_text(PROGRAM)
            found += asyncio.run(measure(on, state, programs, session_timeout))
    Console(width=max(Console().width, _TABLE_WIDTH)).print(table(found))
    if json is not None:
        json.write_text(json_format.dumps([asdict(each) for each in found], indent=2) + "\n")
    if svg is not None:
        drawing.draw(svg, found)


async def measure(on: Servers, state: State, programs: Path, session_timeout: str) -> list[Recovery]:
    """All three ends of a worker over one state, on topics of their own."""
    name = f"recovery-{uuid4().hex[:8]}"
    kafka = Kafka(on.kafka, name + ".")
    await kafka.create_topics(partitions=1)
    fleet = Fleet(kafka, on.redis, name, programs)
    try:
        first = await fleet.start_serving()
        await _stop(first)
        await plant(state, fleet)
        with flowing(on.kafka, kafka.prefix, state.subjects) as traffic:
            scene = _Scene(fleet, traffic, state, session_timeout)
            found = [await _start(scene)]
            found.append(await _hand_over(scene, kill=False))
            found.append(await _hand_over(scene, kill=True))
            await _all_paid(traffic)
    finally:
        await fleet.end()
        await kafka.delete_topics()
    return found


@dataclass(frozen=True, slots=True)
class _Scene:
    """Workers over one state, and what flows through them."""

    fleet: Fleet
    traffic: Traffic
    state: State
    session_timeout: str

    async def start(self) -> Worker:
        """One more worker; returns at once."""
        return await self.fleet.start(session_timeout=self.session_timeout)


async def _start(scene: _Scene) -> Recovery:
    """A worker where there is none."""
    began_s = time.time()
    worker = await scene.start()
    assigned, taken, paid = await _taken_over(worker, scene.traffic, 0)
    split = parts({"process": _up_s(worker, began_s)}, began_s, assigned, taken, paid)
    return Recovery("start", str(scene.state), split)


async def _hand_over(scene: _Scene, *, kill: bool) -> Recovery:
    """The owner ends while another stands by."""
    owner, heir = await _with_heir(scene)
    lines = len(heir.lines)
    ended_s = time.time()
    before: dict[str, float] = {}
    if kill:
        await owner.kill()
        bootstrap, group = scene.fleet.kafka.bootstrap, scene.fleet.group
        gone_s = await asyncio.to_thread(await_removal, bootstrap, group, 2, PATIENCE_S)
        before["session time-out"] = gone_s - ended_s
    else:
        await _stop(owner)
        before["old one's end"] = time.time() - ended_s
    assigned, taken, paid = await _taken_over(heir, scene.traffic, lines)
    return Recovery(
        "kill -9" if kill else "SIGTERM", str(scene.state), parts(before, ended_s, assigned, taken, paid)
    )


async def _with_heir(scene: _Scene) -> tuple[Worker, Worker]:
    """The worker that has the partition, and one more that stands by."""
    [running] = [worker for worker in scene.fleet.started if worker.code is None]
    lines = len(running.lines)
    other = await scene.start()
    told = [
        await running.said("partitions assigned", since=lines, within_s=PATIENCE_S),
        await other.said("partitions assigned", within_s=PATIENCE_S),
    ]
    owns = [line["partitions"] == [PARTITION] for line in told]
    if owns == [True, False]:
        owner, heir, since = running, other, lines
    elif owns == [False, True]:
        owner, heir, since = other, running, 0
    else:
        raise WorkerFailed(f"the partition was assigned as {told}")
    await owner.said("partition taken", since=since, within_s=PATIENCE_S)
    return owner, heir


async def _taken_over(worker: Worker, traffic: Traffic, since: int) -> tuple[Line, Line, Paid]:
    """When the worker was assigned the partition, had taken it, and paid its first bonus."""
    assigned = await worker.said(
        "partitions assigned", since=since, within_s=PATIENCE_S, partitions=[PARTITION]
    )
    taken = await worker.said("partition taken", since=since, within_s=PATIENCE_S)
    return assigned, taken, await asyncio.to_thread(traffic.first_paid, said_s(taken), PATIENCE_S)


def _up_s(worker: Worker, began_s: float) -> float:
    """From the call to the process's first line."""
    return said_s(worker.lines[0]) - began_s


async def _stop(worker: Worker) -> None:
    worker.terminate()
    if code := await worker.ended():
        raise WorkerFailed(f"the worker ended with {code}: {worker}")


async def _all_paid(traffic: Traffic) -> None:
    """Every event has paid its bonus once."""
    paid = [each.bonus_id for each in await asyncio.to_thread(traffic.all_paid, PATIENCE_S)]
    if len(paid) != len(set(paid)):
        raise WorkerFailed("a bonus was paid twice: these figures mean nothing")


def table(found: Sequence[Recovery]) -> Table:
    """Seconds by part, a line a take-over."""
    shown = Table(title="seconds until the first bonus", title_justify="left")
    for name in ("", "state", *PARTS, "in all"):
        shown.add_column(name, justify="right" if shown.columns[1:] else "left")
    for each in found:
        parts_s = [f"{each.parts[name]:.2f}" if name in each.parts else "" for name in PARTS]
        shown.add_row(each.event, each.state, *parts_s, f"{each.total_s:.2f}")
    return shown


if __name__ == "__main__":
    command.run(main)
