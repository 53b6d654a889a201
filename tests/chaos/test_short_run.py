"""A short run under fire with a fresh seed: the last test of all."""

from pathlib import Path
from random import Random

import pytest

from tests.chaos.plan import draw
from tests.chaos.run import Order, run
from tests.chaos.setup import Setup
from tests.kafka.broker import CannotRun
from tests.kafka.servers import unavailable

SECONDS = 30.0
SETUPS = [*[Setup()] * 4, Setup(named=True), Setup(redis="cluster"), Setup(brokers=3)]
"""One of them a run: three brokers and a cluster take longer to start."""


@pytest.mark.under_fire
@pytest.mark.usefixtures("kafka_bootstrap", "redis_session")  # where those can't be had, neither can our own
async def test_no_bonus_is_lost_or_doubled_under_fire(tmp_path: Path, seed: int) -> None:
    """Whatever fails in whatever order, each bonus is there once, each record turned away is in its topic, and
    nothing else is."""
    setup = Random(seed).choice(SETUPS)
    plan = draw(seed, SECONDS, setup)
    print(setup, *plan, "now:", sep="\n")
    try:
        report = await run(Order(seed, plan, SECONDS, setup), tmp_path, print)
    except CannotRun as why:
        unavailable("Kafka or Redis", why)
    assert report.failure is None, f"logs in {tmp_path}: {report.failure}"
    assert report.bonuses >= 100, "too few bonuses were due to tell anything"
