"""``bonus topics create`` against a real broker: what it makes, what it finds, when it fails."""

from tests.cli.test_main import bonus
from tests.kafka.servers import Kafka


def create(kafka: Kafka, *arguments: str) -> tuple[int, list[str], list[str]]:
    given = ("topics", "create", "--topic-prefix", kafka.prefix, *arguments)
    ended = bonus(*given, BONUS_KAFKA=kafka.bootstrap)
    return ended.code, ended.out.splitlines(), ended.err.splitlines()


async def test_missing_topics_are_made_and_found_fine_the_next_time(kafka: Kafka) -> None:
    code, out, err = create(kafka, "--partitions", "3")
    assert (code, len(out), err) == (0, 8, [])
    assert all("created with 3 partitions" in line for line in out[:7])
    assert "programs created with 1 partitions" in out[7]
    code, out, err = create(kafka, "--partitions", "3")
    assert (code, len(out), err) == (0, 8, [])
    assert all("exists with 3 partitions" in line for line in out[:7])
    assert "programs exists with 1 partitions" in out[7]


async def test_another_partition_count_is_told_on_stderr_and_1(kafka: Kafka) -> None:
    await kafka.create_topics(partitions=2)
    code, out, err = create(kafka, "--partitions", "3")
    assert (code, len(out), len(err)) == (1, 1, 7)
    assert all("has 2 partitions where 3 were asked for" in line for line in err)
