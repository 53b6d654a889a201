"""``bonus topics create``."""

import asyncio
from typing import Annotated

import typer

from stream.cli.options import retention_ms, with_settings
from stream.settings import KafkaSettings

app = typer.Typer(help="The topics in Kafka.", no_args_is_help=False, rich_markup_mode=None)


@app.callback()
def topics() -> None:
    """The topics in Kafka."""


@app.command()
@with_settings(KafkaSettings)
def create(
    settings: KafkaSettings,
    partitions: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Partitions of each topic; another number later takes `bonus migrate`. Default: as many as "
            "existing ones have, or 8.",
        ),
    ] = None,
    replication: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Copies of each record. Default: 3, or the number of brokers if fewer."
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="How long the inputs, `rejected` and `late` keep records, such as 35d: longer than the longest "
            "window. Default: as the brokers say, mostly 7d.",
        ),
    ] = None,
) -> None:
    """Make the topics that are missing, with safe settings, and say what differs where they exist.

    Other settings that differ are only told. Ends with 1 where partition counts differ, or where Kafka refuses;
    nothing that exists is changed.

    \b
    bonus topics create --kafka localhost:9092
    bonus topics create --kafka kafka:9092 --topic-prefix acme. --partitions 32 --replication 3 --retention 35d
    """
    from stream.topics import create as create_topics

    findings = asyncio.run(
        create_topics(
            settings.kafka_options(),
            prefix=settings.topic_prefix,
            partitions=partitions,
            replication=replication,
            retention_ms=retention_ms(retention),
            within_s=settings.connect_timeout.total_seconds(),
        )
    )
    for finding in findings:
        typer.echo(finding.sentence, err=finding.kind == "partitions differ")
    if any(finding.kind == "partitions differ" for finding in findings):
        raise typer.Exit(1)
