"""Plans are drawn from a seed, and what they name exists."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.chaos.__main__ import main
from tests.chaos.faults import FAULTS
from tests.chaos.network import Direction, Wire
from tests.chaos.plan import draw
from tests.chaos.points import REACHED, STEADY, TAKING, Point, find
from tests.chaos.setup import Setup

MANY_S = 1_500.0


def test_the_same_seed_is_the_same_plan(seed: int) -> None:
    """And another seed another."""
    plan = [str(at) for at in draw(seed, MANY_S, Setup())]
    assert plan == [str(at) for at in draw(seed, MANY_S, Setup())]
    assert plan != [str(at) for at in draw(seed + 1, MANY_S, Setup())]


@pytest.mark.parametrize("setup", [Setup(), Setup(brokers=3), Setup(redis="cluster")], ids=str)
def test_every_kind_of_fault_that_fits_comes_up(setup: Setup) -> None:
    """In a plan that is long enough; and only those that were asked for."""
    fitting = {name for name, kind in FAULTS.items() if kind.fits(setup)}
    assert {at.fault.name for at in draw(1, MANY_S, setup)} == fitting
    assert {at.fault.name for at in draw(1, MANY_S, setup, ["kill", "storm"])} == {"kill", "storm"}


def test_every_kind_of_fault_fits_some_setup() -> None:
    """The largest has something to strike for each."""
    assert all(kind.fits(Setup(brokers=3, redis="cluster")) for kind in FAULTS.values())


def test_a_fault_without_anything_to_strike_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and it is named."""
    assert main(["--faults", "kill,slot-moved"]) == 2
    assert "slot-moved" in capsys.readouterr().out


def test_an_unknown_fault_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and it is named."""
    assert main(["--faults", "kill,flood"]) == 2
    assert "flood" in capsys.readouterr().out


@pytest.mark.parametrize("step", [*STEADY, *TAKING])
def test_every_step_exists(step: str) -> None:
    """It is something that can be called, and a point there is read as it is written."""
    holder, name = find(STEADY.get(step) or TAKING[step])
    assert callable(getattr(holder, name))
    for moment in ("before", "during", "after"):
        assert str(Point.parse(f"{step}/{moment}/3/halt")) == f"{step}/{moment}/3/halt"


def test_a_point_strikes_at_its_pass() -> None:
    """Not at the one before; and it is said before the blow."""
    script = (
        "from tests.chaos.points import Point; Point.parse('cut/after/2/kill').arm()\n"
        "from stream.core.partition import Partition; from stream.core.plan import Plan\n"
        "from stream.core.rules import Limits\n"
        "partition = Partition(0, Plan([]), Limits())\n"
        "for number in range(9): print(number, flush=True); partition.cut()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (-signal.SIGKILL, ["0", "1"])
    said = json.loads(done.stderr)
    assert (said["event"], said["point"]) == (REACHED, "cut/after/2/kill")


async def test_what_a_wire_holds_arrives_later() -> None:
    """Also where its sender has gone meanwhile; after a reset nothing arrives."""
    arrived = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            arrived.put_nowait(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire = Wire()
    port = await wire.start()
    wire.lead_to(server.sockets[0].getsockname()[1])
    try:
        wire.hold(("up",))
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"held")
        writer.close()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(arrived.get(), 0.2)
        wire.let_go(("up",))
        assert await asyncio.wait_for(arrived.get(), 5) == b"held"
    finally:
        wire.close()
        server.close()


@pytest.mark.parametrize("gone", ["up", "down"])
async def test_of_a_half_open_connection_one_end_is_not_told(gone: Direction) -> None:
    """The end that is gone reads the end of the stream; the other waits, and what it sends arrives nowhere."""
    served = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    server = await asyncio.start_server(lambda *ends: served.put_nowait(ends), "127.0.0.1", 0)
    wire = Wire()
    port = await wire.start()
    wire.lead_to(server.sockets[0].getsockname()[1])
    try:
        ends = {"down": await asyncio.open_connection("127.0.0.1", port), "up": await served.get()}
        ends["down"][1].write(b"hello")
        assert await asyncio.wait_for(ends["up"][0].readexactly(5), 5) == b"hello"
        wire.tear(gone)
        (reader, _), (waiting, writer) = ends.pop(gone), ends.popitem()[1]
        assert await asyncio.wait_for(reader.read(100), 5) == b""
        writer.write(b"lost")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting.read(100), 0.2)
    finally:
        wire.close()
        server.close()


def test_the_worker_under_fire_is_a_worker() -> None:
    """Without a fault point and a mutant it is `bonus worker`: a wrong setting ends it as it ends that one."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("BONUS_")}
    command = [sys.executable, "-m", "tests.chaos.worker"]
    done = subprocess.run(
        command, env=own | {"BONUS_PROGRAMS": "/nowhere"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "/nowhere" in done.stderr
