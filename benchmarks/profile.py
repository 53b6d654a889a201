"""Where a process spends its CPU, by function: sampled by py-spy from outside, for a few per cent of its speed."""

import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

RATE_HZ = 250
STOP_S = 30.0
_SHOWN = 80
_TITLE = "bonus worker, CPU by function"


@contextmanager
def sampling(pid: int, wanted: Path | None) -> Iterator[Path | None]:
    """Sample the process for as long as the context lasts; yields where the collapsed stacks will be, if wanted.

    A ``wanted`` file that is an SVG becomes a flame graph, with the frames of C code; there are no stacks then.
    """
    if wanted is None:
        yield None
        return
    drawn = wanted.suffix == ".svg"
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        sys.exit("--profile needs py-spy: pip install py-spy.")
    with NamedTemporaryFile(suffix=".stacks", delete=False) as file:
        stacks = Path(file.name)
    how = ["--format", "flamegraph", "--native"] if drawn else ["--format", "raw", "--nonblocking"]
    command = [
        *(program, "record", "--pid", str(pid), "--output", str(wanted if drawn else stacks)),
        *("--rate", str(RATE_HZ), "--function", *how),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield None if drawn else stacks
    finally:
        process.send_signal(signal.SIGINT)  # it writes its file then
        process.wait(STOP_S)
        if drawn and wanted.exists():
            titled = re.sub(r'(id="title"[^>]*>)[^<]*', rf"\1{_TITLE}", wanted.read_text())
            wanted.write_text(titled)  # py-spy's own is its command line


def by_function(stacks: str, us_an_event: float) -> str:
    """CPU by function: its own, and with all that it calls, as shares and as µs an event.

    ``stacks`` has a line a stack: frames from the outermost in, joined by ``;``, a space, and the samples.
    """
    own: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, samples = line.rpartition(" ")
        frames = stack.split(";")
        own[frames[-1]] += int(samples)
        inclusive.update(dict.fromkeys(frames, int(samples)))
    total = max(1, own.total())
    lines = [
        f"{total} samples, {us_an_event:.2f} µs CPU an event",
        "",
        "own µs  own %  with callees µs  function",
    ]
    for name, its_own in own.most_common(_SHOWN):
        share, whole = its_own / total, inclusive[name] / total
        lines.append(f"{share * us_an_event:6.2f} {share:6.1%} {whole * us_an_event:16.2f}  {name}")
    return "\n".join(lines) + "\n"
