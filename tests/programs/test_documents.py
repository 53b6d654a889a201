"""Programmes stored as canonical JSON, restored without files, and held against the files of a later start."""

from pathlib import Path

import pytest

from stream.core.rules import AtMost, Period
from stream.errors import InputError
from stream.programs import changed, compile_documents, load
from tests.programs.folders import folder, good, loaded

WITH_DATES = "{from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z}"
JANUARY = "{from: 2026-01-01T00:00:00Z}"
FEBRUARY = "{from: 2026-02-01T00:00:00Z}"
MARCH = "{from: 2026-03-01T00:00:00Z}"


def test_rules_are_restored_from_the_stored_documents_alone(tmp_path: Path) -> None:
    found = loaded(tmp_path, good(effective=WITH_DATES), good(program="a", regions="all"))

    assert found.programs == compile_documents(found.documents)


def test_a_stored_document_is_one_line_of_json_without_defaults_in_the_schemas_order(tmp_path: Path) -> None:
    (text,) = loaded(tmp_path, good(award="once", count="{views: {min_watch: 0s}}")).documents

    assert (
        '{"program":"creator-rewards","version":1,"regions":["US"],"subject":"creator","window":{"rolling":"24h"},'
        '"tiers":[{"name":"bronze","when":{"views":1000},"reward":{"amount":"5.00","currency":"USD"}}]}'
    ) == text


def test_a_decimal_keeps_its_digits_in_store(tmp_path: Path) -> None:
    when = "{watch_hours: 0.100000000000000001}"
    found = loaded(
        tmp_path, good(tiers=f'[{{name: t, when: {when}, reward: {{amount: "1", currency: USD}}}}]')
    )

    assert '"watch_hours":0.100000000000000001' in found.documents[0]
    assert found.programs == compile_documents(found.documents)


def test_the_digest_depends_on_the_documents_and_not_on_how_they_are_spread_over_files(
    tmp_path: Path,
) -> None:
    one, two = good(program="one"), good(program="two")
    together = load(folder(tmp_path / "together", one, two))
    apart = load(folder(tmp_path / "apart", two, another=one))

    assert together.digest == apart.digest
    assert together.digest != load(folder(tmp_path / "one", one)).digest


@pytest.mark.parametrize("text", ["", "[", "{}", "[]", '{"program": "a"}'])
def test_what_is_no_stored_document_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="The stored programmes can't be understood by this release"):
        compile_documents([text])


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("regions", "[US, GB]", "regions"),
        ("campaigns", "[acme-24]", "campaigns"),
        ("window", "{rolling: 24h, step: 1m}", "window"),
        ("count", "{views: {paid: false}}", "count"),
        ("subject", "video", "subject"),
        ("award", "{once_per: day}", "award"),
        ("effective", "{from: 2026-01-01T00:00:01Z, until: 2026-02-01T00:00:00Z}", "effective.from"),
        ("count_from", "2025-01-01T00:00:00Z", "count_from"),
        ("tiers", '[{name: bronze, when: {views: 1000}, reward: {amount: "5.0", currency: USD}}]', "tiers"),
        (
            "tiers",
            '[{name: bronze, when: {all: [{views: 1000}]}, reward: {amount: "5.00", currency: USD}}]',
            "tiers",
        ),
    ],
)
def test_a_loaded_version_is_unchangeable(tmp_path: Path, key: str, value: str, named: str) -> None:
    old = loaded(tmp_path, good(effective=WITH_DATES)).documents
    new = loaded(tmp_path, good(**{"effective": WITH_DATES, key: value})).documents

    assert [
        f"creator-rewards version 1 is loaded already, but its {named} changed: "
        "only effective.until may; make the change a new version."
    ] == changed(old, new)


@pytest.mark.parametrize(
    "effective", ["{from: 2026-01-01T00:00:00Z}", "{from: 2026-01-01T00:00:00Z, until: 2026-01-05T00:00:00Z}"]
)
def test_until_may_change(tmp_path: Path, effective: str) -> None:
    old = loaded(tmp_path, good(effective=WITH_DATES)).documents
    new = loaded(tmp_path, good(effective=effective)).documents

    assert [] == changed(old, new)


def test_new_versions_and_new_programmes_may_come(tmp_path: Path) -> None:
    old = loaded(tmp_path, good(effective="{from: 2026-01-01T00:00:00Z}")).documents
    new = loaded(
        tmp_path,
        good(effective="{from: 2026-01-01T00:00:00Z}"),
        good(version="2", effective="{from: 2026-03-01T00:00:00Z}", regions="all"),
        good(program="other"),
    ).documents

    assert [] == changed(old, new)
    assert [] == changed([], new)


def test_what_means_the_same_is_no_change(tmp_path: Path) -> None:
    old = loaded(tmp_path, good(regions="[US, GB]", count="{views: {min_watch: 60s}}")).documents
    new = loaded(
        tmp_path, good(regions="[GB, US]", count="{likes: {}, views: {min_watch: 1m}}", award="once")
    ).documents

    assert old != new
    assert [] == changed(old, new)


def test_a_version_of_a_programme_that_stays_is_not_taken_away(tmp_path: Path) -> None:
    old = loaded(tmp_path, good(effective=JANUARY), good(version="2", effective=FEBRUARY)).documents
    new = loaded(tmp_path, good(effective=JANUARY)).documents

    assert [
        "creator-rewards version 2 is loaded already, but its document is missing: "
        "put it back, and end it with effective.until if it is to stop."
    ] == changed(old, new)


def test_a_whole_programme_may_go_and_come_back(tmp_path: Path) -> None:
    old = loaded(tmp_path, good(), good(program="gone", version="2")).documents
    new = loaded(tmp_path, good()).documents

    assert [] == changed(old, new)
    assert [] == changed(new, old)


def test_a_version_that_would_move_the_count_starts_of_a_loaded_one_may_not_come_before_it(
    tmp_path: Path,
) -> None:
    old = loaded(tmp_path, good(version="2", effective=FEBRUARY)).documents
    new = loaded(tmp_path, good(effective=JANUARY), good(version="2", effective=FEBRUARY)).documents

    assert [
        "creator-rewards version 2 is loaded already, but version 1, which now comes before it, would move the "
        "start of its count of views: give the new version a from that is later than those of all loaded ones."
    ] == changed(old, new)


def test_a_version_that_would_break_a_count_which_carries_on_may_not_come_between(tmp_path: Path) -> None:
    first, last = good(effective=JANUARY), good(version="2", effective=MARCH)
    between = good(version="3", effective=FEBRUARY, count="{views: {paid: false}}")
    old = loaded(tmp_path, first, last).documents
    new = loaded(tmp_path, first, between, last).documents

    (sentence,) = changed(old, new)
    assert sentence.startswith("creator-rewards version 2 is loaded already, but version 3, which now comes")


@pytest.mark.parametrize(
    "between",
    [
        good(version="3", effective="{from: 2026-02-01T00:00:00Z}"),
        good(version="3", effective="{from: 2026-02-01T00:00:00Z}", count="{likes: {paid: false}}"),
    ],
)
def test_a_version_that_moves_no_count_of_a_judged_metric_may_come_between(
    tmp_path: Path, between: str
) -> None:
    first, last = good(effective=JANUARY), good(version="2", effective=MARCH)
    old = loaded(tmp_path, first, last).documents
    new = loaded(tmp_path, first, between, last).documents

    assert [] == changed(old, new)


def test_a_region_that_a_new_version_takes_away_before_a_loaded_one_counts_as_moved(tmp_path: Path) -> None:
    first, last = good(effective=JANUARY, regions="all"), good(version="2", effective=MARCH, regions="all")
    between = good(version="3", effective=FEBRUARY, regions="[US]")
    old = loaded(tmp_path, first, last).documents
    new = loaded(tmp_path, first, between, last).documents

    assert 1 == len(changed(old, new))


def test_several_changes_are_one_sentence_a_version(tmp_path: Path) -> None:
    old = loaded(tmp_path, good(), good(program="b")).documents
    new = loaded(tmp_path, good(regions="all", subject="video"), good(program="b", regions="all")).documents

    assert ["b version 1", "creator-rewards version 1"] == [
        text.split(" is ")[0] for text in changed(old, new)
    ]
    assert "its subject and regions changed" in changed(old, new)[1]


def test_at_most_is_restored_with_its_defaults(tmp_path: Path) -> None:
    (program,) = compile_documents(
        loaded(tmp_path, good(count="{views: {at_most: {per_viewer: 2, per: week}}}")).documents
    )

    assert AtMost(2, "video", Period("week", "UTC")) == program.versions[0].line("views").at_most
