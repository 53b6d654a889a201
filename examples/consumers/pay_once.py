"""Pay each bonus once: from the topic `bonuses` into a table, with aiokafka and SQLite.

    python examples/consumers/pay_once.py localhost:9092 payments.db

The engine writes each bonus once, but a consumer that dies between its work and its commit reads some again. So the
row and its key, ``bonus_id``, are written in one database transaction, and Kafka's offsets are committed after it:
whatever comes twice finds its row. The same holds for any payment service that takes an idempotency key.
"""

import asyncio
import json
import sqlite3
import sys

from aiokafka import AIOKafkaConsumer

TABLE = """
CREATE TABLE IF NOT EXISTS payments (
    bonus_id TEXT PRIMARY KEY, creator_id TEXT NOT NULL,
    program TEXT NOT NULL, tier TEXT NOT NULL, reward TEXT NOT NULL
)
"""


async def main(brokers: str, database: str, group: str = "payments", topic: str = "bonuses") -> None:
    payments = sqlite3.connect(database)
    payments.execute(TABLE)
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        group_id=group,
        isolation_level="read_committed",  # without it, bonuses of aborted transactions show
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        while True:
            batches = await consumer.getmany(timeout_ms=1_000)
            bonuses = [json.loads(record.value) for records in batches.values() for record in records]
            with payments:  # a transaction
                new = [bonus for bonus in bonuses if pay(payments, bonus)]
            if bonuses:
                await consumer.commit()
            for bonus in new:
                print(bonus["bonus_id"], bonus["creator_id"], bonus["tier"], bonus["reward"], flush=True)


def pay(payments: sqlite3.Connection, bonus: dict) -> bool:
    """Whether it had not been paid before."""
    row = (
        bonus["bonus_id"],
        bonus["creator_id"],
        bonus["program"],
        bonus["tier"],
        json.dumps(bonus["reward"]),
    )
    return payments.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, ?, ?, ?)", row).rowcount == 1


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit("usage: pay_once.py HOST:PORT DATABASE [GROUP [TOPIC]]")
    asyncio.run(main(*sys.argv[1:]))
