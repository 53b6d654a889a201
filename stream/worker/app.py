"""The Faust app: four topics, a counter table, an agent each."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any, cast

import aiohttp.web
import faust
from faust.app.base import BootStrategy
from faust.types import AgentT
from faust.types.web import Request, Response, View
from mode.types import ServiceT
from yarl import URL

from stream import metrics
from stream.settings import Settings, in_ms
from stream.transport.driver import SCHEME, Chunk, Consumer, Transport
from stream.worker.table import CounterTable, rebalance_ms


class Boot(BootStrategy):
    """Faust's order of services, with the counter table before all others: it starts first and stops last."""

    def server(self) -> Iterable[ServiceT]:
        return [cast(BonusApp, self.app).counters, *super().server()]


class BonusApp(faust.App):
    """A Faust app whose agents get whole fetched chunks and keep their counters in ``CounterTable``."""

    BootStrategy = Boot
    logger = logging.getLogger("faust.bonus")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counters: CounterTable
        brokers = [URL(f"{SCHEME}://{broker.strip()}") for broker in settings.kafka.split(",")]
        super().__init__(
            settings.app,
            broker=brokers,
            datadir=Path(gettempdir()) / f"{settings.app}-data",  # nothing is kept there
            topic_disable_leader=True,
            stream_wait_empty=False,
            web_enabled=bool(settings.http_port),
            web_port=settings.http_port or None,
            web_host=settings.http_host,
            autodiscover=False,
            topic_allow_declare=False,
        )

    def counter_table(self) -> CounterTable:
        """The table of this app's counters, under its ``redis`` URL; it owns what the transport fetches."""
        self.counters = CounterTable(self.settings, lambda: cast(Consumer, self.consumer), self.end_with)
        transport = self.transport
        assert isinstance(transport, Transport)
        session_ms = in_ms(self.settings.session_timeout)
        transport.owner = self.counters
        transport.options = {
            **self.settings.consumer_options(),
            "group_id": self.settings.group,
            "group_instance_id": self.settings.instance_id,
            "client_id": self.settings.app,
            "session_timeout_ms": session_ms,
            "rebalance_timeout_ms": rebalance_ms(self.settings),
            "heartbeat_interval_ms": max(100, session_ms // 5),
        }
        return self.counters

    def end_with(self, error: BaseException) -> None:
        """End the process with ``error``, from code that can't wait."""
        self._ending = asyncio.ensure_future(self.crash(error))

    async def _on_agent_error(self, agent: AgentT[Any], error: BaseException) -> None:
        self.end_with(error)  # Faust would acknowledge the chunk and go on

    async def ended_with(self) -> BaseException:
        """What the app ends with; waits until it does."""
        await self._crashed.wait()
        assert self._crash_reason is not None
        return self._crash_reason


def create_app(settings: Settings) -> BonusApp:
    """The app of ``bonus worker``, and of ``faust -A stream.app worker``."""
    app = BonusApp(settings)
    counters = app.counter_table()

    def topic(name: str) -> faust.TopicT:
        return app.topic(settings.topic(name), key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(topic("views"), name="views")
    async def views(fetched: faust.StreamT[Sequence[Chunk]]) -> None:
        async for chunks in fetched:
            counters.count(chunks)

    @app.agent(topic("likes"), name="likes")
    async def likes(fetched: faust.StreamT[Sequence[Chunk]]) -> None:
        async for chunks in fetched:
            counters.count(chunks)

    @app.agent(topic("shares"), name="shares")
    async def shares(fetched: faust.StreamT[Sequence[Chunk]]) -> None:
        async for chunks in fetched:
            counters.count(chunks)

    @app.agent(topic("comments"), name="comments")
    async def comments(fetched: faust.StreamT[Sequence[Chunk]]) -> None:
        async for chunks in fetched:
            counters.count(chunks)

    @app.page("/metrics")
    async def show_metrics(view: View, request: Request) -> Response:
        names = cast(aiohttp.web.Request, request).query.getall("name[]", [])
        return view.bytes(metrics.render(names), content_type="text/plain")

    @app.page("/health")
    async def show_health(view: View, request: Request) -> Response:
        return view.json(counters.health())

    return app
