"""Where ``bonus`` begins: nothing is loaded yet that Ctrl-C could break off with a traceback."""

import sys


def main() -> None:
    """Load the command line and run it; Ctrl-C ends both with 130."""
    try:
        from stream.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
