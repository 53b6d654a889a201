"""The work folder beside an output: what is done of a run over Kafka, so that it goes on when it was broken off.

```
bonuses.ndjson.partial/
  run.json                 what is run, as a digest, and the offsets from where to where, settled at the start
  3.bonuses.ndjson         of a partition that is done
  3.rejected.ndjson
  3.done.json              its counts; written last
```
A partition that was not finished is run again from its beginning: its state is of the size of its subjects, and
keeping it again and again would cost as much as counting.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from stream.backtest.history import History
from stream.backtest.output import whole_file
from stream.errors import InputError

SUFFIX = ".partial"
_RUN = "run.json"


class _Kept(msgspec.Struct, frozen=True):
    digest: str
    history: History


def digest_of(*parts: object) -> str:
    """A digest of what decides the results of a run; ``parts`` are plain data."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def folder_of(out: Path) -> Path:
    """The work folder of an output, which has to be a regular file.

    Raises:
        InputError: it is something else, a pipe for example.
    """
    if out.exists() and not out.is_file():
        raise InputError(
            f"--out {out} must be a file with --kafka: what is done is kept in a folder beside it."
        )
    return out.resolve().with_name(out.name + SUFFIX)


def begin(folder: Path, digest: str, present: History, say: Callable[[str], None]) -> History:
    """The history to run over: that of the same run where it was broken off, so with its ends; else the ``present``.

    What is kept of another run goes.

    Raises:
        InputError: the folder can't be used, or is somebody else's.
    """
    kept = _kept(folder)
    if kept is not None:
        if kept.digest == digest and _same_logs(kept.history, present):
            done = len(list(folder.glob("*.done.json")))
            say(f"Going on with {folder.name}: {done} of {len(kept.history.spans)} partitions are done.")
            return kept.history
        say(f"{folder.name} is of other programmes, limits, range or topics: starting anew.")
        shutil.rmtree(folder)
    try:
        folder.mkdir()
    except OSError as error:
        raise InputError(f"The work folder {folder} can't be made: {error.strerror}.") from None
    with whole_file(folder / _RUN) as write:
        write(msgspec.json.encode(_Kept(digest, present)))
    return present


def _same_logs(kept: History, present: History) -> bool:
    """Whether what was there then can be there still: logs only grow at their ends."""
    return (kept.cluster, len(kept.spans)) == (present.cluster, len(present.spans)) and all(
        before[topic].end <= now[topic].end
        for before, now in zip(kept.spans, present.spans, strict=True)
        for topic in before
    )


def end(folder: Path) -> None:
    """Take the folder away: everything is in the output."""
    shutil.rmtree(folder, ignore_errors=True)


def _kept(folder: Path) -> _Kept | None:
    if not folder.exists():
        return None
    try:
        return msgspec.json.decode((folder / _RUN).read_bytes(), type=_Kept)
    except (OSError, msgspec.MsgspecError):
        raise InputError(
            f"{folder} is no work folder of a backtest: move it away, or choose another --out."
        ) from None
