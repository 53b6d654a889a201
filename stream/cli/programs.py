"""``bonus programs``: what is in force for the workers, and putting a folder in force deliberately."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from stream.cli.check import HEADINGS, aligned, row
from stream.cli.options import some_path, with_settings
from stream.settings import GroupName, KafkaSettings

if TYPE_CHECKING:
    from stream.programs import Mistake
    from stream.programs.document import Checked
    from stream.rulebook.edition import Difference, Edition
    from stream.rulebook.follow import Follower


class PublisherSettings(KafkaSettings):
    """In whose name programmes are put in force."""

    group: GroupName = Field(
        default="bonus",
        description="The workers' --group: they and this command take turns in putting programmes in force.",
    )


app = typer.Typer(help="The programmes in force.", no_args_is_help=False, rich_markup_mode=None)


@app.callback()
def programs() -> None:
    """The programmes in force."""


@app.command()
@with_settings(PublisherSettings)
def apply(
    settings: PublisherSettings,
    directory: Annotated[
        Path, typer.Argument(parser=some_path, metavar="DIR", help="Folder of *.yaml and *.yml files.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Put the programmes of a folder in force for all workers, in place of those in force now.

    Also where they were in force before, which is how to go back. Programmes that the folder lacks end. Ends with 1,
    and changes nothing, where the folder has mistakes or changes a version that is loaded.

    \b
    bonus programs apply programs/ --kafka kafka:9092 --dry-run
    bonus programs apply programs/ --kafka kafka:9092 --topic-prefix acme.
    """
    from stream.programs.load import loaded_from, read_folder

    checked, warnings = read_folder(directory)
    documents = loaded_from(checked, warnings).documents
    before, found = asyncio.run(_apply(settings, documents, dry_run=dry_run))
    for line in told(before, documents, found, dry_run=dry_run):
        typer.echo(line)
    for warning in sorted([*warnings, *_begun(checked, before)]):
        typer.echo(f"warning: {warning}", err=True)


@app.command()
@with_settings(KafkaSettings)
def show(
    settings: KafkaSettings,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Show the programmes in force, with all their versions.

    With --json: {"edition": N, "programs": [...]}, each programme as in the topic `programs`.

    \b
    bonus programs show --kafka kafka:9092
    bonus programs show --kafka kafka:9092 --json
    """
    from stream.programs import compile_documents

    edition, now_ms = asyncio.run(_read(settings)), time.time_ns() // 1_000_000
    if as_json:
        typer.echo(shown(edition, now_ms))
        return
    rules = compile_documents(edition.documents)
    for line in aligned(
        [HEADINGS, *(row(each, version, now_ms) for each in rules for version in each.versions)]
    ):
        typer.echo(line)
    if not rules:
        typer.echo("No programme is in force: a worker puts its folder in force when it starts.", err=True)


def shown(edition: "Edition", now_ms: int) -> str:
    """An edition as one JSON object."""
    from schemas.rulebook import encode

    values = [encode(name, edition.programs[name], now_ms).decode() for name in sorted(edition.programs)]
    return f'{{"edition":{edition.number},"programs":[{",".join(values)}]}}'


def told(
    before: "Edition", documents: Sequence[str], found: "Difference", *, dry_run: bool = False
) -> list[str]:
    """What putting ``documents`` in force in place of ``before`` did, or would do, a line a programme."""
    from stream.rulebook.edition import by_program

    wanted, would = by_program(documents), "would be " if dry_run else ""
    lines = {
        name: f"{name} {would}published: {_versions(before.programs.get(name, ()), wanted[name])}."
        for name in found.published
    }
    lines |= {name: f"{name} {would}ended." for name in found.ended}
    lines |= {name: f"{name} stays as it is." for name in found.unchanged}
    return [lines[name] for name in sorted(lines)]


def _versions(before: Sequence[str], after: Sequence[str]) -> str:
    """Which versions are new, and which were written anew: their ``until``, or nothing that changes the meaning."""
    held = {_number(text): text for text in before}
    new = [str(_number(text)) for text in after if _number(text) not in held]
    changed = [str(_number(text)) for text in after if held.get(_number(text), text) != text]
    parts = [("new", new), ("changed", changed)]
    return ", ".join(
        f"{what} version{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}"
        for what, numbers in parts
        if numbers
    )


def _number(document: str) -> int:
    return int(json.loads(document)["version"])


def _begun(checked: "Sequence[Checked]", before: "Edition") -> "Sequence[Mistake]":
    """New versions that come too late for a full count; where nothing was in force, workers read the whole logs."""
    from stream.programs import compile_documents
    from stream.programs.doubts import begun

    now_ms = time.time_ns() // 1_000_000
    return list(begun(checked, compile_documents(before.documents), now_ms)) if before.number else []


async def _apply(
    settings: PublisherSettings, documents: tuple[str, ...], *, dry_run: bool
) -> tuple["Edition", "Difference"]:
    """The edition that was in force, and what putting ``documents`` in its place did, or would do."""
    from stream.rulebook.edition import difference
    from stream.rulebook.publish import publish
    from stream.worker import waiting
    from stream.worker.rules import lawful

    follower = await _open(settings)
    before = follower.edition
    try:
        if dry_run:
            return before, difference(before, lawful(before, documents))

        def decide(edition: "Edition") -> tuple[str, ...]:
            nonlocal before
            before = edition
            return lawful(edition, documents)

        wait = f"Publishing waits for Kafka, or for a transaction on {follower.log.topic} to end"
        async with waiting.told(wait, lambda sentence: typer.echo(f"{sentence}.", err=True)):
            found = await publish(settings.kafka_options(), settings.group, follower, decide)
        return before, found
    finally:
        await follower.close()


async def _read(settings: KafkaSettings) -> "Edition":
    follower = await _open(settings)
    try:
        return follower.edition
    finally:
        await follower.close()


async def _open(settings: KafkaSettings) -> "Follower":
    from stream import topics
    from stream.rulebook.follow import Follower

    await topics.verify(
        settings.kafka_options(),
        prefix=settings.topic_prefix,
        allow_create_time=True,  # no question of how the inputs are set up
        within_s=settings.connect_timeout.total_seconds(),
    )
    return await Follower.open(settings.consumer_options(), settings.topic("programs"))
