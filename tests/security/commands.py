"""The ``bonus`` command as a process, with its settings in the environment, and how it ended."""

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.security.conftest import OPERATORS_PASSWORD, Papers
from tests.security.secured_broker import SecuredBroker

PATIENCE_S = 60


@dataclass(frozen=True)
class Ended:
    """How a command ended, and all that it said."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """What it said on stderr: one line, and no traceback."""
        [line] = self.err.splitlines()
        return line


async def bonus(*arguments: str | Path, **settings: object) -> Ended:
    """Run one command to its end."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("BONUS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli.main"),
        *map(str, arguments),
        env=outer | {f"BONUS_{name.upper()}": str(value) for name, value in settings.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


def by_plain(broker: SecuredBroker, papers: Papers, **more: object) -> dict[str, object]:
    """The operator's settings, by PLAIN over TLS; those given win."""
    return {
        "kafka": broker.sasl,
        "security_protocol": "SASL_SSL",
        "ssl_cafile": papers.authority,
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "operator",
        "sasl_plain_password": OPERATORS_PASSWORD,
    } | more


def by_scram(broker: SecuredBroker, papers: Papers, **more: object) -> dict[str, object]:
    """The same by SCRAM-SHA-512."""
    return by_plain(broker, papers) | {"sasl_mechanism": "SCRAM-SHA-512"} | more


def by_certificate(broker: SecuredBroker, papers: Papers, **more: object) -> dict[str, object]:
    """The settings of whoever shows the worker's certificate."""
    return {
        "kafka": broker.mutual,
        "security_protocol": "SSL",
        "ssl_cafile": papers.authority,
        "ssl_certfile": papers.worker,
    } | more
