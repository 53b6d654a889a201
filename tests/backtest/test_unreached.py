"""A Kafka that is not there, or no Kafka: one plain sentence."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from stream.backtest.history import Range, survey
from stream.errors import Unreachable
from stream.settings import KafkaSettings
from tests.kafka.broker import free_ports


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@pytest.mark.parametrize("answer", [None, _hang_up, _keep_silent])
async def test_kafka_that_is_not_reached(answer: object) -> None:
    """Nobody is there, or somebody who speaks something else."""
    async with AsyncExitStack() as stack:
        [port] = free_ports(1)
        if callable(answer):
            await stack.enter_async_context(await asyncio.start_server(answer, "127.0.0.1", port))
        settings = KafkaSettings.model_validate({"kafka": f"127.0.0.1:{port}", "connect_timeout": "1s"})
        with pytest.raises(Unreachable) as error:
            await survey(settings, Range())
    assert str(error.value) == (
        f"Kafka at 127.0.0.1:{port} could not be reached within 1 s, or refused the connection."
    )
