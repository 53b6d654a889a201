"""What every peer must have awarded: computed by the engine's core from the load itself, no Kafka between.

The engine is held to a brute-force model by tests/laws. What a bonus is known by is whom it is for and for which
period; a set of them is a function of the load alone.
"""

from pathlib import Path

from benchmarks import rewards
from benchmarks.load import Load
from benchmarks.peers.catalogue import Windows
from benchmarks.peers.job import Award
from schemas.decode import decode
from schemas.placement import partition_of
from stream.core.outcome import Bonus
from stream.core.partition import Partition
from stream.core.plan import Plan
from stream.core.rules import Limits, Topic
from stream.programs.load import load as load_programs

PROGRAMS = 3
_CHUNK = 1_000


def write_programs(folder: Path, windows: Windows) -> None:
    """Write the job's programmes; with tumbling windows of a day where a peer has no others."""
    folder.mkdir()
    rewards.write(folder, PROGRAMS)
    if windows is Windows.TUMBLING:
        for path in folder.iterdir():
            text = path.read_text().replace("{rolling: 24h, step: 1m}", "{tumbling: 24h}")
            path.write_text(text.replace("{once_per: day, timezone: America/New_York}", "once_per_window"))


def of_load(load: Load, programs: Path, partitions: int) -> set[Award]:
    """The awards of a load under the programmes of a folder."""
    plan, limits = Plan(load_programs(programs).programs), Limits()
    states = [Partition(number, plan, limits) for number in range(partitions)]
    pending: dict[tuple[int, Topic], list[tuple[int, int, bytes]]] = {}
    offsets: dict[tuple[int, Topic], int] = {}
    found: set[Award] = set()

    def apply(number: int, topic: Topic) -> None:
        records = pending.pop((number, topic))
        outcome = states[number].apply(
            topic,
            [offset for offset, _, _ in records],
            [timestamp for _, timestamp, _ in records],
            [decode(value, topic, number, partitions) for _, _, value in records],
        )
        found.update(map(award_of, outcome.bonuses))

    for record in load.records():
        place = partition_of(record.key.decode(), partitions), record.topic
        offset = offsets[place] = offsets.get(place, -1) + 1
        held = pending.setdefault(place, [])
        held.append((offset, record.timestamp, record.value))
        if len(held) == _CHUNK:
            apply(*place)
    for place in list(pending):
        apply(*place)
    return found


def award_of(bonus: Bonus) -> Award:
    """A bonus of ours as the peers write it."""
    return Award(bonus.program, bonus.tier, bonus.creator_id, bonus.video_id, bonus.period[0])
