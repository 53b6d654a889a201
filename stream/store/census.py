"""All entries that an application holds, listed: what only a move of the whole state asks for.

Nothing names them all, so Redis is gone through with SCAN. That misses no key that is there from the beginning to the
end, and may list one twice. In a cluster no slot may be on its way meanwhile.
"""

import re
from collections.abc import AsyncIterator, Callable
from typing import cast

from stream.store.cluster import Cluster
from stream.store.link import Link
from stream.store.patience import Patience

SCAN_KEYS = 1_000
"""How many keys Redis looks at before it answers: less than a millisecond."""


async def entries(
    redis: Link | Cluster, app: str, say: Callable[[str], None]
) -> AsyncIterator[dict[int, list[str]]]:
    """The keys of subjects and places by partition, as `Layout.subject` takes them, a page at a time."""
    key = re.compile(rf"\{{{re.escape(app)}:(\d+)\}}:s:(.*)", re.DOTALL)
    patience = Patience(redis.where, "The list of entries", say)
    for server in await patience.until_done(redis.servers):
        cursor = b"0"
        while True:
            command = ("SCAN", cursor, "MATCH", f"{{{app}:*}}:s:*", "COUNT", SCAN_KEYS)
            answer = await patience.until_done(lambda: server.ask(command))  # noqa: B023  # awaited here
            cursor, found = cast(tuple[bytes, list[bytes]], answer)
            page: dict[int, list[str]] = {}
            for name in found:
                match = key.fullmatch(name.decode())
                if match is not None:
                    page.setdefault(int(match[1]), []).append(match[2])
            if page:
                yield page
            if cursor == b"0":
                break
