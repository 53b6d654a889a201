import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from schemas.placement import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_java_clients(data: bytes, hashed: int) -> None:
    assert hashed % 2**32 == murmur2(data)


@given(st.binary(max_size=40))
def test_the_hash_is_aiokafkas(data: bytes) -> None:
    assert aiokafka_murmur2(data) % 2**32 == murmur2(data)


@given(st.text(max_size=40), st.integers(1, 1000))
def test_a_creator_belongs_where_a_key_of_its_utf8_would_go(creator_id: str, partitions: int) -> None:
    expected = (aiokafka_murmur2(creator_id.encode()) & 0x7FFFFFFF) % partitions
    assert expected == partition_of(creator_id, partitions)
