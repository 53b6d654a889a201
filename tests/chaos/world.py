"""What is under fire: a broker, a Redis, the wires to them, places for workers, and a load."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import redis.asyncio
from redis.exceptions import RedisError

from stream.core.rules import TOPICS
from stream.errors import Unreachable
from stream.store.layout import Layout
from stream.worker.body import Body
from tests.chaos.network import Wire
from tests.chaos.points import REACHED, Point
from tests.chaos.servers import LastingRedis, WiredBroker
from tests.kafka.logs_of import ends_of
from tests.kafka.servers import Kafka
from tests.kafka.workers import Fleet, Worker, programs_in

PARTITIONS = 4
SESSION_S = 3.0
PREFIX = "chaos."
ENDED_AS_MEANT = (0, Unreachable.exit_code, -9)
"""Told to stop; a server was away for too long at the start; killed."""

_ASK_EVERY_S = 0.1
_FOREVER_S = 1e9


class Slot:
    """A place for a worker: whoever ended there is followed by the next, as an orchestrator does it."""

    def __init__(self, world: "World", number: int) -> None:
        self._world = world
        self._point: Point | None = None
        self.number = number
        self.worker: Worker | None = None
        self._news = asyncio.Condition()

    async def keep(self) -> None:
        """Keep a worker here, for ever."""
        while True:
            await self._world.may_start.wait()
            point, self._point = self._point, None
            self.worker = await self._world.start_worker(point)
            async with self._news:
                self._news.notify_all()
            await self.worker.ended(within_s=_FOREVER_S)
            self._world.look_at_end(self.worker)

    async def kill(self, then: Point | None = None) -> None:
        """SIGKILL; the next worker here has ``then`` ahead of it."""
        self._point = then
        if self.worker is not None:
            await self.worker.kill()

    async def next_worker(self, after: Worker | None) -> Worker:
        """The worker here, once it is another than ``after``."""
        async with self._news:
            await self._news.wait_for(lambda: self.worker not in (None, after))
        assert self.worker is not None
        return self.worker


class World:
    """Everything that faults act on. ``broken`` gathers the sentences of workers that ended as none should."""

    def __init__(self, folder: Path, workers: int, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.kafka_wire, self.redis_wire = Wire(), Wire()
        self.redis = LastingRedis(folder / "redis")
        self.slots = [Slot(self, number) for number in range(workers)]
        self.may_start = asyncio.Event()
        self.broker_turn, self.redis_turn = asyncio.Lock(), asyncio.Lock()
        self.broken: list[str] = []
        self._settings = {
            "session_timeout": f"{SESSION_S:g}s",
            "checkpoint_interval": "300ms",
            "drain_timeout": "5s",
            **settings,
        }
        self._keeping: list[asyncio.Task[None]] = []
        self.broker: WiredBroker
        self.fleet: Fleet

    @classmethod
    @asynccontextmanager
    async def open(
        cls, folder: Path, workers: int = 3, settings: Mapping[str, object] | None = None
    ) -> AsyncIterator["World"]:
        """Start servers and workers in a fresh folder; on the way out kill them all, and keep their logs there."""
        world = cls(folder, workers, settings or {})
        try:
            await world._start_servers()
            world.may_start.set()
            world._keeping = [asyncio.create_task(slot.keep()) for slot in world.slots]
            await world.serving()
            yield world
        finally:
            await world._end()

    async def _start_servers(self) -> None:
        redis_port, kafka_port = await self.redis_wire.start(), await self.kafka_wire.start()
        self.broker = WiredBroker(self.folder / "broker", kafka_port)
        self.kafka_wire.lead_to(self.broker.workers_port)
        self.redis_wire.lead_to(self.redis.port)
        await asyncio.to_thread(self.redis.start)
        await asyncio.to_thread(self.broker.start)
        await Kafka(self.broker.bootstrap, PREFIX).create_topics(partitions=PARTITIONS)
        self.fleet = Fleet(
            Kafka(f"127.0.0.1:{kafka_port}", PREFIX),
            f"redis://127.0.0.1:{redis_port}/0",
            "chaos",
            programs_in(self.folder),
        )

    # Workers

    async def start_worker(self, point: Point | None = None) -> Worker:
        """One more worker, with a fault point ahead of it perhaps."""
        armed = {} if point is None else {"test_fault_point": point}
        command = [sys.executable, "-m", "tests.chaos.worker"]
        return await self.fleet.run(command, **self._settings, **armed)

    def look_at_end(self, worker: Worker) -> None:
        """Note an end that nobody meant."""
        if worker.code not in ENDED_AS_MEANT:
            self.broken.append(str(worker))

    async def serving(self) -> None:
        """Return when the first worker of a slot serves a partition."""
        worker = await self.slots[0].next_worker(None)
        await worker.said("partition taken")

    @asynccontextmanager
    async def no_workers(self) -> AsyncIterator[None]:
        """While the block runs none does."""
        self.may_start.clear()
        try:
            await asyncio.gather(*(slot.kill() for slot in self.slots))
            yield
        finally:
            self.may_start.set()

    async def stop_workers(self) -> None:
        """SIGTERM to all, and none follows."""
        self.may_start.clear()
        for slot in self.slots:
            if slot.worker is not None and slot.worker.code is None:
                slot.worker.terminate()
        await asyncio.gather(*(worker.ended() for worker in self.fleet.started))

    def said(self, event: str) -> int:
        """How often the workers have said this."""
        return sum(line.get("event") == event for worker in self.fleet.started for line in worker.lines)

    @property
    def points_reached(self) -> list[str]:
        """The fault points at which a worker was struck."""
        return [
            str(line["point"])
            for worker in self.fleet.started
            for line in worker.lines
            if line["event"] == REACHED
        ]

    # Redis

    @asynccontextmanager
    async def redis_client(self) -> AsyncIterator["redis.asyncio.Redis"]:
        """An operator's connection, past the wire."""
        client = redis.asyncio.Redis.from_url(self.redis.url)
        try:
            yield client
        finally:
            await client.aclose()

    async def insist_on_redis(self, *command: str | int) -> None:
        """Give a command until Redis does it: it may be down at the moment."""
        async with self.redis_client() as client:
            while True:
                with contextlib.suppress(RedisError, OSError):
                    await client.execute_command(*command)  # type: ignore[no-untyped-call]
                    return
                await asyncio.sleep(_ASK_EVERY_S)

    # How far it is

    async def settled(self, within_s: float) -> None:
        """Return when checkpoints cover all that the inputs hold, or a worker broke; fails after ``within_s``."""
        goal = await ends_of(self.broker.bootstrap, *(PREFIX + topic for topic in TOPICS))
        behind: dict[str, tuple[int, int]] = {}
        try:
            async with asyncio.timeout(within_s), self.redis_client() as client:
                while True:
                    positions = await self._positions(client)
                    behind = {
                        f"{tp.topic}/{tp.partition}": (positions.get(tp, 0), end)
                        for tp, end in goal.items()
                        if positions.get(tp, 0) < end
                    }
                    if not behind or self.broken:
                        return
                    await asyncio.sleep(_ASK_EVERY_S)
        except TimeoutError:
            raise AssertionError(
                f"after {within_s:g} s without faults the checkpoints have reached, of the ends: {behind}"
            ) from None

    async def _positions(self, client: "redis.asyncio.Redis") -> dict[tuple[str, int], int]:
        found: dict[tuple[str, int], int] = {}
        for number in range(PARTITIONS):
            meta = await client.execute_command(  # type: ignore[no-untyped-call]
                "HGET", Layout(self.fleet.group, number).meta, "body"
            )
            if isinstance(meta, bytes):
                for topic, offset in Body.decode(meta).positions.items():
                    found[PREFIX + topic, number] = offset
        return found

    async def _end(self) -> None:
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        if hasattr(self, "fleet"):
            await self.fleet.end()
            self._keep_logs()
            await asyncio.to_thread(self.broker.kill)
        await asyncio.to_thread(self.redis.kill)
        self.kafka_wire.close()
        self.redis_wire.close()

    def _keep_logs(self) -> None:
        for number, worker in enumerate(self.fleet.started):
            lines = [*map(str, worker.lines), *worker.sentences]
            (self.folder / f"worker-{number + 1}.log").write_text("\n".join(lines) + "\n")
