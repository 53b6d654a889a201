"""``bonus explain``: how a creator or a video stands with each tier."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.check import aligned, instant
from stream.cli.options import with_settings
from stream.settings import StateSettings, in_ms

if TYPE_CHECKING:
    from stream.core.rules import Condition, Metric
    from stream.explain import Explanation, Standing

HEADINGS = ("REGION", "PROGRAM", "VERSION", "TIER", "NEWEST WINDOW", "COUNTS", "NEEDS", "PAID")
_PERIODS = 2
"""Of so many periods that were paid, the last ones, the starts are shown."""


@with_settings(StateSettings)
def explain(
    settings: StateSettings,
    creator: Annotated[str, typer.Argument(metavar="CREATOR", help="The creator_id.")],
    video: Annotated[
        str | None, typer.Option(metavar="VIDEO", help="A video_id of the creator's: how that stands.")
    ] = None,
) -> None:
    """Tell how a creator, or one of their videos, stands with each tier: what is counted, and what was paid.

    A line for each tier that judges the newest window of a region; a tier without a line has nothing counted. As of
    the last checkpoint in Redis; workers go on meanwhile. Events that were turned away are in `rejected` and `late`.

    \b
    bonus explain c-17
    bonus explain c-17 --video v-3 --redis redis://redis:6379/0 --group bonus
    """
    from stream.explain import explain as look

    def say(sentence: str) -> None:
        typer.echo(sentence, err=True)

    within_s = in_ms(settings.connect_timeout) / 1000
    found = asyncio.run(look(settings.redis, settings.group, creator, video, within_s=within_s, say=say))
    for line in told(found, creator if video is None else f"{video} of {creator}"):
        typer.echo(line)


def told(found: "Explanation", subject: str) -> Iterator[str]:
    """The lines that tell it."""
    yield (
        f"{subject}: partition {found.partition} of {found.partitions}, as of checkpoint {found.checkpoint}"
    )
    if found.standings:
        yield from aligned([HEADINGS, *map(_row, found.standings)])
    else:
        yield "Nothing is counted by a programme in force."
    for program, tier, period in found.other_awards:
        since = "" if period is None else f", from {instant(period)}"
        yield f"Paid by what is not in force: {program} {tier}{since}"


def _row(standing: "Standing") -> tuple[str, ...]:
    judge = standing.judge
    start, end = map(instant, standing.window)
    return (
        standing.region,
        judge.program.name,
        str(judge.version.number),
        judge.tier.name,
        f"{start} to {end}",
        ", ".join(f"{metric} {_amount(metric, value)}" for metric, value in standing.counts.items()),
        _condition(judge.tier.when),
        _paid(standing.paid),
    )


def _condition(condition: "Condition") -> str:
    from stream.core.rules import All, AtLeast

    if isinstance(condition, AtLeast):
        return f"{condition.metric} {_amount(condition.metric, condition.threshold)}"
    joint = " and " if isinstance(condition, All) else " or "
    parts = [_condition(part) for part in condition.parts]
    return joint.join(f"({part})" if " or " in part and joint == " and " else part for part in parts)


def _paid(periods: tuple[int | None, ...]) -> str:
    if not periods:
        return "-"
    if periods == (None,):
        return "yes"
    shown = ", ".join(instant(start) for start in periods[-_PERIODS:])
    return f"{len(periods)} times, from {shown}" if len(periods) > 1 else f"from {shown}"


def _amount(metric: "Metric", value: int) -> str:
    from schemas.program_terms import MS_PER_HOUR

    return f"{value / MS_PER_HOUR:.4f}" if metric == "watch_hours" else str(value)
