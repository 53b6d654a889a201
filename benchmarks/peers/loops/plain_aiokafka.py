"""A plain loop over aiokafka: decode, count in dicts, send. Offsets are committed by themselves, state never.

After a crash the counts start from nothing, and what was read is not read again: this is what one writes first.
"""

import asyncio
import gc
import signal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.peers.loops.command import Run, run
from benchmarks.peers.loops.counting import GC_THRESHOLDS, Counting, encode

_MAX_RECORDS = 10_000


async def count(told: Run) -> None:
    """Read, count and send until SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    consumer = AIOKafkaConsumer(
        *told.inputs,
        bootstrap_servers=told.kafka,
        group_id=told.group,
        auto_offset_reset="earliest",
        auto_commit_interval_ms=1_000,
    )
    producer = AIOKafkaProducer(bootstrap_servers=told.kafka, enable_idempotence=True)
    counting = Counting(told.prefix)
    async with consumer, producer:
        while not ending.is_set():
            fetched = await consumer.getmany(timeout_ms=200, max_records=_MAX_RECORDS)
            for tp, records in fetched.items():
                values = [(record.timestamp, record.value) for record in records]
                for award in counting.count(tp.topic, tp.partition, values):
                    await producer.send(told.output, encode(award._asdict()), award.creator_id.encode())


if __name__ == "__main__":
    gc.set_threshold(*GC_THRESHOLDS)
    asyncio.run(count(run()))
