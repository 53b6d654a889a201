"""The backtest: the worker's own core over logs in files or in Kafka, with no effect on anything but its output.

```
lines.py, replay.py, files.py      files: lines -> runs of one topic-partition -> the core, in the log's order
history.py, part.py, pool.py       Kafka: a partition's four topics in step -> the core; partitions on all cores
work_folder.py, over_kafka.py      ... which goes on where it was broken off
lane.py                            one partition under one set of programmes, let go of what it needs no more
tally.py, comparison.py, report/   two sets over the same history: who gains, who loses, what it costs
output.py                          files that appear only when they are whole
```
"""

from stream.backtest.files import run_over_files
from stream.backtest.history import Range
from stream.backtest.over_kafka import run_over_kafka
from stream.backtest.summary import Summary

__all__ = ["Range", "Summary", "run_over_files", "run_over_kafka"]
