"""Records whose headers' names are no UTF-8: brokers take them, though Python's clients would not send them."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

NAME, SHOWN = b"tr\xe4ce", "tr\N{REPLACEMENT CHARACTER}ce"
"""The name of a header in Latin-1, and what is made of it."""

CODECS = {None: 0, "gzip": 1, "lz4": 3}


class _Name(str):
    """A header's name that becomes other bytes than its own."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return NAME


async def send_with_odd_headers(
    bootstrap: str,
    topic: str,
    partition: int,
    values: Sequence[bytes],
    codec: str | None = None,
    *,
    key: bytes | None = None,
    first: int = 1,
) -> None:
    """Send the values in one batch; every second one from the ``first`` on has a header with such a name."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        batch = producer.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(
            2,
            CODECS[codec],
            is_transactional=0,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=0,
            batch_size=1 << 20,
        )
        for number, value in enumerate(values):
            headers = (
                [("plain", b"1"), (_Name(), b"2")] if number >= first and (number - first) % 2 == 0 else []
            )
            batch._builder.append(number, timestamp=None, key=key, value=value, headers=headers)
        batch._relative_offset = len(values)
        await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
