"""``bonus programs apply`` and ``show`` against a real broker: what they put in force, and what they tell."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.rulebook import ProgramInForce
from tests.cli.test_main import GOOD, Ended, bonus
from tests.kafka.servers import Kafka

OTHER = GOOD.replace("program: p", "program: q")
NEXT = GOOD.replace("version: 1", "version: 2").replace(
    "{from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z}", "{from: 2900-01-01T00:00:00Z}"
)


class Programs:
    """The command, on the topics of one test."""

    def __init__(self, kafka: Kafka, place: Path) -> None:
        self._kafka = kafka
        self._place = place

    def apply(self, *options: str, **files: str) -> Ended:
        """Apply a folder of just these files."""
        for old in self._place.iterdir():
            old.unlink()
        for name, content in files.items():
            (self._place / f"{name}.yaml").write_text(content)
        return self._run("apply", str(self._place), *options)

    def shown(self) -> Mapping[str, object]:
        """What ``show --json`` prints."""
        ended = self._run("show", "--json")
        assert (0, "") == (ended.code, ended.err)
        found = json.loads(ended.out)
        assert isinstance(found, dict)
        return found

    def table(self) -> Ended:
        """What ``show`` prints."""
        return self._run("show")

    def versions(self) -> dict[str, list[int]]:
        """The versions of each programme in force."""
        values = self.shown()["programs"]
        assert isinstance(values, list)
        read = [ProgramInForce.model_validate_json(json.dumps(value)) for value in values]
        return {each.program: [version.version for version in each.versions] for each in read}

    def _run(self, *arguments: str) -> Ended:
        return bonus(
            "programs", *arguments, BONUS_KAFKA=self._kafka.bootstrap, BONUS_TOPIC_PREFIX=self._kafka.prefix
        )


@pytest.fixture
async def programs(kafka: Kafka, tmp_path: Path) -> Programs:
    await kafka.create_topics(partitions=1)
    return Programs(kafka, tmp_path)


async def test_what_is_published_what_ends_and_what_stays_is_told(programs: Programs) -> None:
    first = programs.apply(a=GOOD, b=OTHER)
    assert (0, "p published: new version 1.\nq published: new version 1.\n", "") == whole(first)

    longer = GOOD.replace("until: 2026-02-01", "until: 2026-02-02")
    second = programs.apply(a=longer + "---" + NEXT)
    assert (0, "p published: new version 2, changed version 1.\nq ended.\n") == whole(second)[:2]
    assert {"p": [1, 2]} == programs.versions()

    again = programs.apply(a=longer + "---" + NEXT)
    assert (0, "p stays as it is.\n") == whole(again)[:2]


async def test_a_folder_that_was_in_force_before_is_put_in_force_again(programs: Programs) -> None:
    """With a warning for what counts only from now on."""
    programs.apply(a=GOOD, b=OTHER)
    programs.apply(a=GOOD)
    back = programs.apply(a=GOOD, b=OTHER)
    assert (0, "p stays as it is.\nq published: new version 1.\n") == whole(back)[:2]
    assert back.err.startswith("warning: b.yaml:4: effective.from: 2026-01-01T00:00:00Z is past")
    assert {"p": [1], "q": [1]} == programs.versions()


async def test_a_dry_run_tells_and_changes_nothing(programs: Programs) -> None:
    programs.apply(a=GOOD, b=OTHER)
    before = programs.shown()
    dry = programs.apply("--dry-run", a=GOOD + "---" + NEXT)
    assert (0, "p would be published: new version 2.\nq would be ended.\n") == whole(dry)[:2]
    assert before == programs.shown()


async def test_a_change_of_a_loaded_version_is_refused(programs: Programs) -> None:
    programs.apply(a=GOOD, b=OTHER)
    before = programs.shown()
    for options in ([], ["--dry-run"]):
        refused = programs.apply(*options, a=GOOD.replace("views: 10", "views: 9"), b=OTHER)
        assert (1, "") == (refused.code, refused.out)
        assert refused.err.startswith("p version 1 is loaded already, but its tiers changed: ")
        assert 1 == len(refused.err.splitlines())
    assert before == programs.shown()


async def test_a_folder_with_a_mistake_is_refused_as_by_check(programs: Programs) -> None:
    refused = programs.apply(a=GOOD.replace("subject: creator", "subject: clip"))
    assert (1, "") == (refused.code, refused.out)
    assert refused.err.startswith("a.yaml:6: subject: expected creator or video")


async def test_show_prints_the_versions_in_force_as_a_table(programs: Programs) -> None:
    nothing = programs.table()
    assert (0, 1) == (nothing.code, len(nothing.out.splitlines()))
    assert nothing.err.startswith("No programme is in force")
    assert {"edition": 0, "programs": []} == programs.shown()

    programs.apply(a=GOOD + "---" + NEXT)
    headings, *rows = programs.table().out.splitlines()
    assert headings.startswith("PROGRAM  VERSION  NOW")
    assert [["p", "1", "over"], ["p", "2", "to"]] == [row.split()[:3] for row in rows]


async def test_missing_topics_are_told(kafka: Kafka) -> None:
    ended = bonus("programs", "show", BONUS_KAFKA=kafka.bootstrap, BONUS_TOPIC_PREFIX=kafka.prefix)
    assert (1, "") == (ended.code, ended.out)
    assert ended.err.startswith("These topics don't exist at ")


def test_an_unreachable_kafka_is_one_sentence_and_3(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    for command in (["show"], ["apply", str(tmp_path)]):
        ended = bonus("programs", *command, "--kafka", "127.0.0.1:1", "--connect-timeout", "500ms")
        assert (3, 1) == (ended.code, len(ended.err.splitlines()))
        assert "127.0.0.1:1" in ended.err


def whole(ended: Ended) -> tuple[int, str, str]:
    return ended.code, ended.out, ended.err
