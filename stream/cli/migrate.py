"""``bonus migrate``: a group's state for another number of partitions, other topics, another cluster or Redis."""

import asyncio
from os import environ
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import Field

from stream.cli.options import read_settings, with_settings
from stream.settings import ENV_PREFIX, Brokers, GroupName, KafkaSettings, RedisUrl

if TYPE_CHECKING:
    from stream.migrate import Move, Moved

TARGET_PREFIX = ENV_PREFIX + "TO_"
"""What begins the environment variables of the new side; those that are not there are as on the old one."""


class MoveSettings(KafkaSettings):
    """The side that is moved from, and where the other one differs."""

    redis: RedisUrl = Field(
        default="redis://localhost:6379/0", repr=False, description="URL of the Redis that has the state."
    )
    group: GroupName = Field(default="bonus", description="The group whose state it is.")
    to_group: GroupName = Field(
        description="The --group of the workers that are to go on with it.",
    )
    to_topic_prefix: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{0,200}$",
        description="The topics they read. Default: the same topic prefix.",
    )
    to_kafka: Brokers | None = Field(default=None, description="Their brokers. Default: the same.")
    to_redis: RedisUrl | None = Field(default=None, repr=False, description="Their Redis. Default: the same.")
    allow_create_time: bool = Field(
        default=False, description="As for the workers: the new inputs keep producers' timestamps."
    )


@with_settings(MoveSettings)
def migrate(
    settings: MoveSettings,
    target_holds: Annotated[
        Literal["new", "counted"] | None,
        typer.Option(
            metavar="new|counted",
            help="What the new inputs hold already: `new` events to count, or copies of `counted` ones, which are "
            "skipped. Needed only where they hold anything.",
        ),
    ] = None,
    accept_unread: Annotated[
        bool,
        typer.Option(
            "--accept-unread",
            help="Go on although records were not counted before partitions were added to the same topics: those "
            "that lie elsewhere by the new count are then turned away as wrong_partition.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what there is, and whether it could be moved.")
    ] = False,
) -> None:
    """Carry a group's state over to another group: more or fewer partitions, other topics, another cluster or Redis.

    Stop the producers, let the workers read to the end and stop them, make the new topics, then call this. The old
    state stays as it is. A call that was broken off is made again, as it was. Connection settings of the new side
    that have no option here are environment variables with BONUS_TO_ before their names, such as
    BONUS_TO_SASL_PLAIN_PASSWORD. See docs/moving.md.

    \b
    bonus migrate --group bonus --to-group bonus-6 --to-topic-prefix six. --dry-run
    bonus migrate --group bonus --to-group bonus-eu --to-kafka kafka.eu:9092 --to-redis redis://redis.eu:6379/0
    """
    from rich.console import Console

    from stream.migrate import Move, Progress, Side, Terms
    from stream.migrate import migrate as move_state

    source = Side(settings, settings.redis, settings.group)
    target = Side(_target(settings), settings.to_redis or settings.redis, settings.to_group)
    move = Move(source, target, Terms(target_holds, accept_unread), settings.allow_create_time, dry_run)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    typer.echo(told(move, asyncio.run(move_state(move, Progress(console)))))


def told(move: "Move", moved: "Moved") -> str:
    """What came of a move, in a sentence."""
    what = (
        f"{moved.entries} entries of state and {moved.ids} event ids of group {move.source.group} "
        f"({moved.before} partitions)"
    )
    whereto = f"group {move.target.group} ({moved.after} partitions)"
    if moved.done_before:
        return f"{what} were moved to {whereto} already."
    return f"{what} can be moved to {whereto}." if move.dry_run else f"{what} were moved to {whereto}."


def _target(settings: MoveSettings) -> KafkaSettings:
    """The new side's Kafka: the old one's settings, but for what options and environment say of the new one."""
    fields = KafkaSettings.model_fields
    values: dict[str, object] = {name: getattr(settings, name) for name in fields}
    values |= {name: environ[key] for name in fields if environ.get(key := TARGET_PREFIX + name.upper())}
    given = {"kafka": settings.to_kafka, "topic_prefix": settings.to_topic_prefix}
    values |= {name: value for name, value in given.items() if value is not None}
    return read_settings(KafkaSettings, values, variables=TARGET_PREFIX)
