"""What is under fire: brokers, Redis, a wire to each of them, and places for workers."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from stream import topics
from stream.core.rules import TOPICS, Topic
from stream.errors import Unreachable
from tests.chaos.bounds import EITHER_ORDER, LATE, either_order, late
from tests.chaos.brokers import Brokers
from tests.chaos.clock import Clock
from tests.chaos.network import Wire
from tests.chaos.points import REACHED, Point
from tests.chaos.redises import Redises
from tests.chaos.setup import GROUP, PARTITIONS, PREFIX, SESSION_S, Setup
from tests.kafka.logs_of import ends_of
from tests.kafka.rules_of import put
from tests.kafka.servers import Kafka
from tests.kafka.workers import Fleet, Worker, programs_in

ENDED_AS_MEANT = (0, Unreachable.exit_code, -9)
"""Told to stop; a server was away for too long at the start; killed."""

_REACHED_WITHIN_S = 25.0
_ASK_EVERY_S = 0.1
_FOREVER_S = 1e9
_FIRST_TAKE_S = 60.0


class Slot:
    """A place for a worker: whoever ended there is followed by the next, as an orchestrator does it."""

    def __init__(self, world: "World", number: int) -> None:
        self._world = world
        self._point: Point | None = None
        self._settings = {"instance_id": f"place-{number + 1}"} if world.setup.named else {}
        self.worker: Worker | None = None
        self.clock = Clock(world.folder / f"clock-{number + 1}")
        self._news = asyncio.Condition()

    async def keep(self) -> None:
        """Keep a worker here, for ever."""
        while True:
            await self._world.may_start.wait()
            point, self._point = self._point, None
            self.worker = await self._world.start_worker(point, test_clock=self.clock.path, **self._settings)
            async with self._news:
                self._news.notify_all()
            await self.worker.ended(within_s=_FOREVER_S)
            self._world.look_at_end(self.worker)

    async def kill(self, then: Point | None = None) -> None:
        """SIGKILL; the next worker here has ``then`` ahead of it."""
        self._point = then
        if self.worker is not None:
            await self.worker.kill()

    async def led_to(self, point: Point) -> Worker:
        """A fresh worker here that has been struck at the point; dead where another fault came between."""
        before = self.worker
        await self.kill(then=point)
        worker = await self.next_worker(before)
        try:
            await worker.said(REACHED, within_s=_REACHED_WITHIN_S)
        except AssertionError:
            await worker.kill()  # with nobody to wait for it, it would be struck at any time
        return worker

    async def next_worker(self, after: Worker | None) -> Worker:
        """The worker here, once it is another than ``after``."""
        async with self._news:
            await self._news.wait_for(lambda: self.worker not in (None, after))
        assert self.worker is not None
        return self.worker


class World:
    """Everything that faults act on. ``broken`` gathers the sentences of workers that ended as none should."""

    def __init__(self, folder: Path, setup: Setup, settings: Mapping[str, object]) -> None:
        self.folder = folder
        self.setup = setup
        self.kafka_wires = [Wire() for _ in range(setup.brokers)]
        self.redis_wires = [Wire() for _ in range(setup.redis_nodes)]
        self.slots = [Slot(self, number) for number in range(setup.workers)]
        self.may_start = asyncio.Event()
        self.broker_turn, self.redis_turn = asyncio.Lock(), asyncio.Lock()
        self.broken: list[str] = []
        self.late: dict[str, dict[int, Mapping[Topic, int]]] = {}
        """Programmes loaded late: by partition, the places behind which all counts."""
        self._settings = {
            "session_timeout": f"{SESSION_S:g}s",
            "checkpoint_interval": "300ms",
            "drain_timeout": "5s",
            **settings,
        }
        self._keeping: list[asyncio.Task[None]] = []
        self.brokers: Brokers
        self.redis: Redises
        self.fleet: Fleet

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        setup: Setup,
        settings: Mapping[str, object] | None = None,
        *,
        create_time: bool = False,
    ) -> AsyncIterator["World"]:
        """Start servers in a fresh folder; on the way out kill all, and keep the workers' logs there.

        With ``create_time`` inputs keep their producers' timestamps, and workers take that.
        """
        world = cls(folder, setup, {"allow_create_time": create_time, **(settings or {})})
        try:
            await world._start_servers(create_time)
            yield world
        finally:
            await world._end()

    async def _start_servers(self, create_time: bool) -> None:
        kafka_ports = [await wire.start() for wire in self.kafka_wires]
        self.brokers = Brokers(self.folder, kafka_ports)
        self.redis = Redises(self.folder, [await wire.start() for wire in self.redis_wires])
        for wire, broker in zip(self.kafka_wires, self.brokers.all, strict=True):
            wire.lead_to(broker.workers_port)
        for wire, node in zip(self.redis_wires, self.redis.nodes, strict=True):
            wire.lead_to(node.port)
        await asyncio.gather(asyncio.to_thread(self.redis.form), self.brokers.start())
        await self._make_topics(create_time)
        self.fleet = Fleet(
            Kafka(",".join(f"127.0.0.1:{port}" for port in kafka_ports), PREFIX),
            self.redis.url,
            GROUP,
            programs_in(self.folder),
        )
        put(self.fleet.programs, f"{EITHER_ORDER}.yaml", either_order())

    async def _make_topics(self, create_time: bool) -> None:
        kafka, copies = Kafka(self.brokers.bootstrap, PREFIX), self.setup.brokers
        if create_time:
            assert copies == 1, "topics with their producers' timestamps are made on one broker"
            await kafka.create_topics(partitions=PARTITIONS, create_time=True)
        else:
            await topics.create(kafka.options, prefix=PREFIX, partitions=PARTITIONS, replication=copies)

    # Workers

    async def start_workers(self) -> None:
        """One at each place, and whoever ends is followed by the next; returns when the first serves a partition."""
        self.may_start.set()
        self._keeping = [asyncio.create_task(slot.keep()) for slot in self.slots]
        worker = await self.slots[0].next_worker(None)
        await worker.said("partition taken", within_s=_FIRST_TAKE_S)

    async def start_worker(self, point: Point | None = None, **settings: object) -> Worker:
        """One more worker, with a fault point ahead of it perhaps, and settings of its own."""
        armed = {} if point is None else {"test_fault_point": point}
        command = [sys.executable, "-m", "tests.chaos.worker"]
        return await self.fleet.run(command, **self._settings, **armed, **settings)

    def look_at_end(self, worker: Worker) -> None:
        """Note an end that nobody meant."""
        # A process that is told to stop before Python has come to our code, or after that, can't do so in order.
        stopped = any(line.get("event") == "worker stopped" for line in worker.lines)
        outside = not worker.lines or stopped or bool(worker.sentences)
        told_outside = worker.code == -signal.SIGTERM and outside
        if worker.code not in ENDED_AS_MEANT and not told_outside:
            self.broken.append(str(worker))

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

    async def insist_on_redis(self, *command: str | int) -> None:
        """Give a command until all of Redis has done it: it may be down at the moment."""
        done = False
        while not done:
            done = await asyncio.to_thread(self.redis.tell, *command)
            await asyncio.sleep(0.0 if done else _ASK_EVERY_S)

    async def mend(self) -> None:
        """Whatever faults there were, all servers run from now on, and have what they need of each other."""
        async with self.broker_turn, self.redis_turn:
            await self.brokers.start()
            await asyncio.to_thread(self.brokers.settle)
            await asyncio.to_thread(self.redis.start)
            await asyncio.to_thread(self.redis.settle)

    # Programmes

    def load_late(self) -> None:
        """Put one more programme that started long ago into the workers' folder."""
        name = f"{LATE}{len(self.late) + 1:03}"
        self.late[name] = {}
        put(self.fleet.programs, f"{name}.yaml", late(name))

    def note_adopted(self) -> None:
        """Note which partitions' checkpoints hold which of the late programmes, and from where on."""
        for number, body in self.redis.bodies().items():
            for name, places in self.late.items():
                if number not in places and any(name in document for document in body.documents):
                    places[number] = body.since

    async def adopted(self) -> None:
        """Return when every partition has gone over to every late programme."""
        while any(len(places) < PARTITIONS for places in self.late.values()):
            await asyncio.to_thread(self.note_adopted)
            await asyncio.sleep(_ASK_EVERY_S)

    # How far it is

    async def settled(self, within_s: float) -> None:
        """Return when checkpoints cover all that the inputs hold, by all programmes, or a worker broke; fails after
        ``within_s``."""
        goal = await ends_of(self.brokers.bootstrap, *(PREFIX + topic for topic in TOPICS))
        behind: dict[str, tuple[int, int]] = {}
        try:
            async with asyncio.timeout(within_s):
                while not self.broken:
                    bodies = await asyncio.to_thread(self.redis.bodies)
                    positions = {
                        (PREFIX + topic, number): offset
                        for number, body in bodies.items()
                        for topic, offset in body.positions.items()
                    }
                    behind = {
                        f"{tp.topic}/{tp.partition}": (positions.get(tp, 0), end)
                        for tp, end in goal.items()
                        if positions.get(tp, 0) < end
                    }
                    if not behind:
                        await self.adopted()
                        return
                    await asyncio.sleep(_ASK_EVERY_S)
        except TimeoutError:
            raise AssertionError(
                f"after {within_s:g} s without faults the checkpoints have reached, of the ends: {behind}; "
                f"programmes loaded late count in {_counts(self.late)} partitions"
            ) from None

    async def _end(self) -> None:
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        if hasattr(self, "fleet"):
            await self.fleet.end()
            self._keep_logs()
        if hasattr(self, "brokers"):
            await self.brokers.kill()
        if hasattr(self, "redis"):
            await asyncio.to_thread(self.redis.kill)
        for wire in [*self.kafka_wires, *self.redis_wires]:
            wire.close()

    def _keep_logs(self) -> None:
        for number, worker in enumerate(self.fleet.started):
            lines = [*map(str, worker.lines), *worker.sentences]
            (self.folder / f"worker-{number + 1}.log").write_text("\n".join(lines) + "\n")


def _counts(late: Mapping[str, Mapping[int, object]]) -> dict[str, int]:
    return {name: len(places) for name, places in late.items()}
