"""``python -m tests.chaos``: no bonus lost, none doubled, proven under fire."""

import argparse
import asyncio
import logging
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import get_args

from rich.console import Console
from rich.markup import escape

from tests.chaos.faults import FAULTS
from tests.chaos.mutants.mutants import MUTANTS
from tests.chaos.mutants.scripts import SCRIPTS
from tests.chaos.plan import draw
from tests.chaos.run import RATE, Order, Report, patience_s, run, under_mutant
from tests.chaos.setup import PARTITIONS, RedisKind, Setup
from tests.kafka.broker import kafka_version


def main(arguments: list[str]) -> int:
    """Run what the command line asks for. Exit codes: 1 a bonus was lost, doubled or wrong, 2 a wrong call."""
    options, console = _parser().parse_args(arguments), Console(highlight=False)
    if options.list:
        for name, fault in FAULTS.items():
            console.print(f"[bold]{name:<18}[/] {escape((fault.__doc__ or '').strip())}")
        return 0
    names = [name for name in options.faults.split(",") if name]
    if unknown := [name for name in names if name not in FAULTS]:
        console.print(f"No such faults: {', '.join(unknown)}. See --list.")
        return 2
    seed = random.randrange(2**32) if options.seed is None else options.seed
    setup = Setup(options.workers, options.brokers, options.redis, options.named)
    if unfit := [name for name in names if not FAULTS[name].fits(setup)]:
        console.print(f"With {setup} there is nothing to strike for: {', '.join(unfit)}.")
        return 2
    order = _order(options, seed, setup, names)
    folder = Path(mkdtemp(prefix="bonus-chaos-"))
    console.print(f"[bold]seed {seed}[/], {order.setup}, {len(order.plan)} faults:")
    for at in order.plan:
        console.print(escape(str(at)))
    console.print("[bold]now:[/]")
    logging.getLogger("aiokafka").setLevel(
        logging.CRITICAL
    )  # the harness's own clients: a broker is down at times
    report = asyncio.run(run(order, folder, lambda line: console.print(escape(line))))
    return _tell(console, report, seed, order.setup, folder)


def _order(options: argparse.Namespace, seed: int, setup: Setup, names: list[str]) -> Order:
    if options.script:
        return SCRIPTS[options.script].order(seed, options.mutant)
    seconds = options.minutes * 60
    plan = draw(seed, seconds, setup, names)
    settings = under_mutant(options.mutant)
    return Order(seed, plan, seconds, setup, options.rate, settings, patience_s(seconds))


def _tell(console: Console, report: Report, seed: int, setup: Setup, folder: Path) -> int:
    kinds = ", ".join(f"{name} {times}" for name, times in report.faults.most_common())
    console.print(
        f"{date.today()}, commit {_commit()}, Kafka {kafka_version()}, seed {seed}, {setup}: "
        f"{report.faults.total()} faults ({kinds}), {len(report.points)} fault points reached, "
        f"{report.records} records, {report.bonuses} bonuses (in {report.modelled} of {PARTITIONS} partitions as the "
        f"model says too), {report.takes} takes, {report.taken_anew} of them after a failure, {report.seconds:.0f} s",
        soft_wrap=True,
    )
    if report.failure is None:
        console.print("[bold green]every bonus once, and no other[/]")
        return 0
    (folder / "failure.txt").write_text(report.failure)
    console.print(f"[bold red]FAILED[/] with --seed {seed}; logs in {folder}")
    console.print(escape(report.failure[:6_000]))
    return 1


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat a plan; a fresh seed otherwise")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults come (default: 3)")
    parser.add_argument("--faults", default="", help="only these kinds, separated by commas")
    parser.add_argument("--workers", type=int, default=3, help="worker processes (default: 3)")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1, help="of Kafka (default: 1)")
    parser.add_argument(
        "--redis", choices=get_args(RedisKind), default="one", help="one server (default), or a Redis Cluster"
    )
    parser.add_argument("--named", action="store_true", help="workers have names that outlast them")
    parser.add_argument("--rate", type=int, default=RATE, help=f"records a second (default: {RATE})")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the protocol in the workers")
    parser.add_argument(
        "--script", choices=sorted(SCRIPTS), help="instead of a plan, the faults for this mutant"
    )
    parser.add_argument("--list", action="store_true", help="show the kinds of faults, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
