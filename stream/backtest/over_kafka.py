"""A backtest over Kafka's history: programmes in, bonuses and rejected records out, no effect on Kafka."""

import asyncio
import os
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from stream.backtest import work_folder
from stream.backtest.comparison import compare
from stream.backtest.history import Range, survey
from stream.backtest.output import copy_lines, refuse_overwriting, whole_file
from stream.backtest.part import Job, kept
from stream.backtest.pool import run_all
from stream.backtest.progress import Watch
from stream.backtest.summary import ProgramSet, Summary
from stream.backtest.tally import Tally
from stream.core.rules import TOPICS, Limits
from stream.programs import load
from stream.settings import KafkaSettings


def run_over_kafka(
    programs: Path,
    settings: KafkaSettings,
    wanted: Range,
    out: Path,
    rejected: Path | None,
    limits: Limits,
    workers: int | None = None,
    compare_with: Path | None = None,
) -> Summary:
    """Run one or two sets of programmes over the four topics' history, a process a core unless ``workers`` says else.

    ``out`` gets the first set's bonuses: by partition, then in the order in which they are awarded. A run that was
    broken off is gone on with. A bar is drawn on stderr, if that is a terminal.

    Raises:
        InputError: programmes, topics, range or outputs are wrong.
        Unreachable: Kafka could not be reached.
    """
    refuse_overwriting([], [out, *([rejected] if rejected else [])])
    loaded = [(folder, load(folder)) for folder in (programs, compare_with) if folder is not None]
    documents = tuple(each.documents for _, each in loaded)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    folder = work_folder.folder_of(out)
    names = [settings.topic(topic) for topic in TOPICS]
    digest = work_folder.digest_of(documents, asdict(limits), asdict(wanted), names, rejected is not None)
    history = work_folder.begin(folder, digest, asyncio.run(survey(settings, wanted)), console.print)
    job = Job(settings, limits, documents, history, folder, rejected is not None)
    _run(job, workers or os.cpu_count() or 1, console)
    summary = _gather(job, out, rejected)
    summary.sets = tuple(ProgramSet.of(folder, each) for folder, each in loaded)
    summary.warnings = tuple(str(warning) for _, each in loaded for warning in each.warnings)
    summary.source = f"the topics {', '.join(names)} at {settings.kafka}, {wanted}"
    work_folder.end(folder)
    return summary


def _run(job: Job, workers: int, console: Console) -> None:
    """Run the partitions that are not done yet, the largest first, so that no core waits for one at the end."""
    numbers = range(len(job.history.spans))
    left = sorted((n for n in numbers if kept(job, n) is None), key=lambda n: (-job.history.size(n), n))
    done = sum(job.history.size(n) for n in numbers) - sum(job.history.size(n) for n in left)
    with Watch(console, job.history, done) as watch:
        run_all(job, left, workers, watch.hear)


def _gather(job: Job, out: Path, rejected: Path | None) -> Summary:
    """Put the partitions' results together."""
    numbers, summary = range(len(job.history.spans)), Summary()
    tallies = [Tally() for _ in job.documents]
    for number in numbers:
        part = kept(job, number)
        assert part is not None, f"partition {number} was run"
        summary.merge(part.counts)
        for tally, theirs in zip(tallies, part.tallies, strict=False):
            tally.merge(theirs)
    with whole_file(out) as write:
        copy_lines([job.bonuses(number) for number in numbers], write)
    if rejected is not None:
        with whole_file(rejected) as write:
            copy_lines([job.rejected(number) for number in numbers], write)
    if len(tallies) > 1:
        summary.comparison = compare(*tallies)
    return summary
