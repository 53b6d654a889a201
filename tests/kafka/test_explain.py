"""``bonus explain`` tells how a subject stands, beside workers that go on."""

import asyncio
import subprocess
import sys
import time

from schemas.placement import partition_of
from schemas.program_terms import instant_text
from tests.kafka.rules_of import put
from tests.kafka.traffic import Sender, Sent, new_event, value_of
from tests.kafka.workers import Fleet

PARTITIONS = 2
PROGRAMS = """\
program: creators
version: 1
regions: [US]
subject: creator
window: {rolling: 1h, step: 1m}
tiers:
  - {name: bronze, when: {views: 2}, reward: {amount: "1", currency: USD}}
  - name: silver
    when: {all: [{views: 9}, {any: [{likes: 2}, {watch_hours: 1.5}]}]}
    reward: {amount: "2", currency: USD}
---
program: creators-abroad
version: 1
regions: [DE]
subject: creator
window: {rolling: 1h, step: 1m}
tiers: [{name: seen, when: {views: 2}, reward: {amount: "1", currency: USD}}]
---
program: daily-videos
version: 1
regions: all
subject: video
window: {calendar: day}
tiers: [{name: seen, when: {views: 3}, reward: {amount: "1", currency: USD}}]
award: once_per_window
"""


async def told(fleet: Fleet, *arguments: str) -> tuple[int, list[str], str]:
    """The exit code of the command, its lines with single blanks, and what it said on stderr."""
    command = [sys.executable, "-m", "stream.cli.main", "explain", "--redis", fleet.redis_url]
    ended = await asyncio.create_subprocess_exec(
        *command, "--group", fleet.group, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await ended.communicate()
    assert ended.returncode is not None
    return ended.returncode, [" ".join(line.split()) for line in out.decode().splitlines()], err.decode()


async def test_it_tells_counts_thresholds_and_what_was_paid(fleet: Fleet) -> None:
    """Ada has three views of a video and a like in the US, and a view in Germany, all in one minute."""
    kafka, minute_ms = fleet.kafka, int(time.time()) // 60 * 60_000
    await kafka.create_topics(partitions=PARTITIONS)
    for file in fleet.programs.iterdir():
        file.unlink()
    put(fleet.programs, "programs.yaml", PROGRAMS)
    await fleet.start()
    sender = Sender(kafka.bootstrap, kafka.prefix)
    for number, (topic, region) in enumerate([("views", "US")] * 3 + [("likes", "US"), ("views", "DE")]):
        event = new_event(f"e{number}", occurred_at=minute_ms, region=region, watch_ms=900_000)
        sender.send(Sent(topic, value_of(event), "ada"))
    await sender.flush()
    await fleet.settled()

    code, [place, _, *rows], _ = await told(fleet, "ada")
    assert code == 0
    assert place.startswith(
        f"ada: partition {partition_of('ada', PARTITIONS)} of {PARTITIONS}, as of checkpoint "
    )
    hour = f"{instant_text(minute_ms - 59 * 60_000)} to {instant_text(minute_ms + 60_000)}"
    held = "views 3, likes 1, watch_hours 0.7500"
    assert rows == [
        f"DE creators-abroad 1 seen {hour} views 1 views 2 -",
        f"US creators 1 bronze {hour} views 3 views 2 yes",
        f"US creators 1 silver {hour} {held} views 9 and (likes 2 or watch_hours 1.5000) -",
    ]
    today_ms = minute_ms // 86_400_000 * 86_400_000
    day = f"{instant_text(today_ms)} to {instant_text(today_ms + 86_400_000)}"
    # Regions are counted by themselves, and pay once together.
    assert (await told(fleet, "ada", "--video", "v1"))[1][2:] == [
        f"DE daily-videos 1 seen {day} views 1 views 3 from {instant_text(today_ms)}",
        f"US daily-videos 1 seen {day} views 3 views 3 from {instant_text(today_ms)}",
    ]
    assert (await told(fleet, "nobody"))[1][1:] == ["Nothing is counted by a programme in force."]


async def test_who_has_no_state_is_told_so(fleet: Fleet) -> None:
    code, lines, said = await told(fleet, "ada")
    assert (code, lines) == (1, [])
    assert said.startswith(f"Redis holds no checkpoint of group {fleet.group}: no worker has run")
