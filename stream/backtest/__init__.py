"""The backtest: the worker's own core over logs that lie in files, with no effect on anything but its output.

```
lines.py     files -> lines, each bounded
replay.py    lines -> runs of one topic-partition -> the core -> bonuses and rejections, in the log's order
output.py    bonuses and rejections -> files that appear only when they are whole
```
"""

from stream.backtest.files import run_over_files
from stream.backtest.replay import Summary

__all__ = ["Summary", "run_over_files"]
