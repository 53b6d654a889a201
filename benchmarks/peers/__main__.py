"""The same job over the same topics, in this engine and in its peers, one after the other.

    python -m benchmarks.peers
    python -m benchmarks.peers --events 200000 --only bonus-stream --only flink --out /tmp/peers

Fills topics with a seeded load, runs each peer on a core of its own with broker and Redis on the others, holds what
it awarded against what was due, and writes the figures as JSON, as a table in Markdown and as a plot in SVG.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import command, cores
from benchmarks.load import Load, fill
from benchmarks.peers import contest, expected, plot, results, table
from benchmarks.peers.build import Builds
from benchmarks.peers.catalogue import PEERS, Peer, Share, Told, Windows
from benchmarks.peers.figures import Figures
from benchmarks.peers.job import Award
from benchmarks.reference import reference_us
from benchmarks.servers import Servers, ground, servers
from stream.settings import in_ms, parse_duration

PARTITIONS = 4
CREATORS, VIDEOS, VIEWERS = 10_000, 5, 200_000
EVENTS_A_CREATOR = 20
LEAST_EVENTS = 2_000
CONSOLE = Console()


def main(
    events: Annotated[
        int, typer.Option(min=20_000, help="Events; slow peers get a part of them.")
    ] = 2_000_000,
    only: Annotated[list[str] | None, typer.Option(help="Only these peers; may be given repeatedly.")] = None,
    span: Annotated[str, typer.Option(help="Event time that the load covers: 90s, 1h, 2d.")] = "1h",
    seed: Annotated[int, typer.Option(help="Another seed is another load.")] = 1,
    pin: Annotated[bool, typer.Option(help="Give each peer a core of its own.")] = True,
    out: Annotated[Path, typer.Option(help="The folder for peers.json, peers.md and peers.svg.")] = Path(),
) -> None:
    """Run the peers side by side."""
    chosen = _chosen(only or [peer.name for peer in PEERS])
    core, others = cores.split(pin)
    with cores.on(core):
        found = results.Results(
            circumstances=results.circumstances(span, seed, pin, reference_us()), peers=[]
        )
    with TemporaryDirectory(prefix="bonus-peers-") as folder, cores.on(others), servers() as on:
        scratch = Path(folder)
        builds = Builds(scratch / "builds")
        for windows in Windows:
            expected.write_programs(scratch / windows.value, windows)
        for share in Share:
            peers = [peer for peer in chosen if peer.share is share]
            if peers:
                load = _load(events // share.value, in_ms(parse_duration(span)), seed)
                for figures in _side_by_side(peers, load, builds, on, scratch, core):
                    CONSOLE.print(table.line(figures))
                    found["peers"].append(figures)
                    _write(out, found)
    CONSOLE.print(f"peers.json, peers.md and peers.svg are in {out.resolve()}.")


def _write(out: Path, found: results.Results) -> None:
    """Write what was found so far, in the catalogue's order: a long run that is broken off has not been in vain."""
    names = [peer.name for peer in PEERS]
    found["peers"].sort(key=lambda figures: names.index(figures["name"]))
    out.mkdir(parents=True, exist_ok=True)
    results.write(out / "peers.json", found)
    (out / "peers.md").write_text(table.markdown(found))
    plot.write(out / "peers.svg", found)


def _load(events: int, span_ms: int, seed: int) -> Load:
    """A share of the load; a small one has fewer creators, for it must bring awards as well."""
    size = max(LEAST_EVENTS, events)
    return Load(size, min(CREATORS, size // EVENTS_A_CREATOR), VIDEOS, VIEWERS, span_ms, seed)


def _chosen(names: list[str]) -> list[Peer]:
    unknown = set(names) - {peer.name for peer in PEERS}
    if unknown:
        known = ", ".join(peer.name for peer in PEERS)
        raise typer.BadParameter(f"there is no peer {', '.join(sorted(unknown))}; there are {known}")
    return [peer for peer in PEERS if peer.name in names]


def _side_by_side(
    peers: list[Peer], load: Load, builds: Builds, on: Servers, scratch: Path, core: frozenset[int]
) -> Iterator[Figures]:
    """The figures of peers that get the same load, each as it is had."""
    due: dict[Windows, set[Award]] = {}
    with ground(on, PARTITIONS) as place:
        CONSOLE.print(f"Filling {load.events:,} events …")
        fill(on.kafka, place.prefix, load)
        for peer in peers:
            programs = scratch / peer.windows.value
            if peer.windows not in due:
                due[peer.windows] = expected.of_load(load, programs, PARTITIONS)
            CONSOLE.print(f"Running {peer.name} …")
            told = Told(place, peer.group(place), peer.output(place), scratch / peer.name, programs)
            yield contest.run(peer, builds, told, due[peer.windows], load.events, core)


if __name__ == "__main__":
    command.run(main)
