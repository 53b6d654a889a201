"""The benchmarks run, on the real servers, and what they measure is right."""

from pathlib import Path

from benchmarks import cores, latency, rewards, stages, throughput
from benchmarks.core import SITUATIONS, measure
from benchmarks.load import Load, fill
from benchmarks.servers import Servers, ground

EVENTS = 20_000


def test_throughput(kafka_bootstrap: str, redis_session: str, tmp_path: Path) -> None:
    """A worker counts the whole load, and its bonuses are those that the stages find."""
    rewards.write(tmp_path, 3)
    events = 4 * EVENTS  # more than go by between two looks
    with ground(Servers(kafka_bootstrap, redis_session), partitions=2) as place:
        fill(kafka_bootstrap, place.prefix, Load(events, 100, 5, 1_000, 600_000, seed=1))
        assert place.records() == events
        run = throughput.measure(place, tmp_path, events, cores.split(pin=True)[0])
        found = stages.measure(place, tmp_path, run.checkpoints)
        paid = [bonus.bonus_id for bonus in place.bonuses()]
    assert found.events == events
    assert sorted(found.bonus_ids) == sorted(paid)
    assert paid
    assert run.us_an_event > 0
    assert all(spent_s > 0 for spent_s in found.cpu_s.values())


def test_latency(kafka_bootstrap: str, redis_session: str, tmp_path: Path) -> None:
    """Every record that reaches a tier has its bonus timed: one in ten of those sent."""
    with ground(Servers(kafka_bootstrap, redis_session), partitions=2) as place:
        setup = latency.Setup(place, tmp_path, cores.split(pin=False)[0])
        run = latency.measure(setup, rate=1_000, seconds=2, events_a_bonus=10, warm_up_s=3)
    assert 150 < len(run.times) < 250
    assert all(each.sent_s <= each.acknowledged_s for each in run.times)
    assert all(each.sent_s < each.held_s for each in run.times)


def test_core() -> None:
    """More programmes bring more bonuses of the same load."""
    three, one = (measure(each, EVENTS, seed=1) for each in SITUATIONS[:2])
    assert three.bonuses > one.bonuses > 0
