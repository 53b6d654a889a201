"""The ``bonus`` command: arguments in, exit codes and plain sentences out."""
