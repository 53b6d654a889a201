"""What every peer is told on its command line, the same for all of them."""

import sys
from dataclasses import dataclass

from benchmarks.peers.job import METRICS


@dataclass(frozen=True, slots=True)
class Run:
    """Where Kafka is, the inputs' prefix, the peer's consumer group, its output topic, a folder of its own."""

    kafka: str
    prefix: str
    group: str
    output: str
    folder: str

    @property
    def inputs(self) -> list[str]:
        """The four input topics."""
        return [self.prefix + topic for topic in METRICS]


def run() -> Run:
    """The run that this process was started for; its arguments are the last five."""
    kafka, prefix, group, output, folder = sys.argv[-5:]
    return Run(kafka, prefix, group, output, folder)
