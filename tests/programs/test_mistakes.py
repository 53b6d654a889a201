"""What is wrong with a document, and the one line that says so."""

from pathlib import Path

import pytest

from stream.programs.fields import known_keys
from stream.programs.mistakes import Mistake, field_name, quoted
from tests.programs.folders import folder, good, mistakes

TIER = 'name: t, when: {views: 1}, reward: {amount: "1", currency: USD}'
A_TIME = "expected a time from 1970 on with its offset, such as 2026-01-01T00:00:00Z"
A_DURATION = "expected a duration such as 10s, 5m, 24h or 30d"
AN_AMOUNT = (
    'expected a decimal of at least 0 in quotes, such as "5.00", with at most 18 digits and 9 decimal places'
)
A_CURRENCY = "expected a currency of three letters A-Z, such as USD"
AN_INTEGER = "expected an integer of at least 1, below 2⁶³"
A_NAME = "expected 1 to 64 of a-z, 0-9 and -, in quotes if all are digits"
A_TIER_NAME = "expected 1 to 64 of A-Z, a-z, 0-9, _ and -, in quotes if all are digits"
A_REGION = "expected a region of two letters A-Z, such as US"
REGIONS = "expected all, or a list of regions such as [US, GB]"
A_CAMPAIGN = "expected a campaign id: a string of 1 to 128 characters, none of them a control character"
A_WINDOW = "expected {rolling: 24h}, {tumbling: 1h}, {calendar: day|week|month} or {lifetime: true}"
A_ZONE = "expected an IANA time zone in its exact spelling, such as America/New_York"
AN_AWARD = "expected once, once_per_window or {once_per: day|week|month}"
HOURS = "expected hours as a decimal above 0, such as 12.5, up to 10¹² with at most 18 decimal places"
A_CONDITION = "expected at least one of views, likes, shares, comments, watch_hours, all and any"
NEEDED_INTEGER = AN_INTEGER.replace("expected", "is needed:")
NEEDED_NAME = A_TIER_NAME.replace("expected", "is needed:")
DIVIDES_24H = "expected a duration that divides rolling, 24h"
CONDITIONS = "views, likes, shares, comments, watch_hours, all, any"
A_TOPIC = "unknown key, expected one of views, likes, shares, comments"
FILTERS = "sources, paid, exclude_self, at_most"
A_COMMA = "unknown key: a comma begins the next entry, so write 1000 for 1,000"
EMPTY = "expected at least one entry, found an empty list"
NOT_NULL = "expected a value, or no such key, found null"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("program", "Creator", f'program: {A_NAME}, found "Creator"'),
        ("program", "123", f"program: {A_NAME}, found 123"),
        ("program", '""', f'program: {A_NAME}, found ""'),
        ("program", "a" * 65, f'program: {A_NAME}, found "{"a" * 59}…"'),
        ("program", r'"a\n"', rf'program: {A_NAME}, found "a\n"'),
        ("version", '"3"', f'version: {AN_INTEGER}, found "3"'),
        ("version", "0", f"version: {AN_INTEGER}, found 0"),
        ("version", "1.0", f"version: {AN_INTEGER}, found 1.0"),
        ("version", "true", f"version: {AN_INTEGER}, found true"),
        ("version", "", f"version: {AN_INTEGER}, found null"),
        ("effective", "", "effective: expected a mapping of from, until, found null"),
        ("effective", "2026-01-01", 'effective: expected a mapping of from, until, found "2026-01-01"'),
        ("effective", "{from: 2026-01-01}", f'effective.from: {A_TIME}, found "2026-01-01"'),
        ("effective", "{from: 2026-01-01T00:00:00}", f'effective.from: {A_TIME}, found "2026-01-01T00:00:00"'),
        ("effective", "{from: 2026-02-30T00:00:00Z}", f'effective.from: {A_TIME}, found "2026-02-30T00:00:00Z"'),
        ("effective", "{from: 1767225600000}", f"effective.from: {A_TIME}, found 1767225600000"),
        ("effective", "{form: 2026-01-01T00:00:00Z}", "effective.form: unknown key, did you mean from?"),
        ("effective", "{from_: 2026-01-01T00:00:00Z}", "effective.from_: unknown key, did you mean from?"),
        (
            "effective",
            "{from: 2026-01-02T00:00:00Z, until: 2026-01-02T00:00:00Z}",
            "effective.until: expected a time after from, 2026-01-02T00:00:00Z, found 2026-01-02T00:00:00Z",
        ),
        ("count_from", "null", f"count_from: {NOT_NULL}"),
        (
            "count_from",
            "2026-01-01T00:00:00Z",
            "count_from: goes with effective.from only: without it all events count anyway",
        ),
        ("regions", "US", f'regions: {REGIONS}, found "US", did you mean [US]?'),
        ("regions", "US, GB", f'regions: {REGIONS}, found "US, GB", did you mean [US, GB]?'),
        ("regions", "us", f'regions: {REGIONS}, found "us"'),
        ("regions", "[]", f"regions: {EMPTY}"),
        ("regions", "[US, us]", f'regions[1]: {A_REGION}, found "us"'),
        ("regions", "[all]", f'regions[0]: {A_REGION}, found "all"'),
        ("regions", "{US: true}", f'regions: {REGIONS}, found a mapping of "US"'),
        ("campaigns", "[]", f"campaigns: {EMPTY}"),
        ("campaigns", "acme-24", 'campaigns: expected a list, found "acme-24", did you mean [acme-24]?'),
        ("campaigns", "'true'", 'campaigns: expected a list, found "true"'),
        ("campaigns", "[24]", f"campaigns[0]: {A_CAMPAIGN}, found 24"),
        ("campaigns", '["a\\tb"]', f'campaigns[0]: {A_CAMPAIGN}, found "a\\tb"'),
        ("campaigns", "null", f"campaigns: {NOT_NULL}"),
        ("subject", "viewer", 'subject: expected creator or video, found "viewer"'),
        ("window", "24h", f'window: {A_WINDOW}, found "24h"'),
        ("window", "{}", f"window: {A_WINDOW}, found an empty mapping"),
        (
            "window",
            "{roling: 24h}",
            f'window: {A_WINDOW}, found a mapping of "roling" (did you mean rolling for "roling"?)',
        ),
        ("window", "{rolling: 24}", f"window.rolling: {A_DURATION}, found 24"),
        ("window", "{rolling: 0s}", f'window.rolling: {A_DURATION}, found "0s"'),
        ("window", "{rolling: 24h, setp: 1m}", "window.setp: unknown key, did you mean step?"),
        ("window", "{rolling: 24h, tumbling: 1h}", "window.tumbling: does not go with rolling beside it"),
        ("window", "{tumbling: 1h, step: 1m}", "window.step: does not go with tumbling beside it"),
        ("window", "{rolling: 24h, timezone: UTC}", "window.timezone: does not go with rolling beside it"),
        ("window", "{rolling: 24h, step: null}", f"window.step: {NOT_NULL}"),
        ("window", "{rolling: 24h, step: 7m}", f"window.step: {DIVIDES_24H}, found 7m"),
        ("window", "{rolling: 24h, step: 48h}", f"window.step: {DIVIDES_24H}, found 48h"),
        ("window", "{rolling: 24h, step: 8s}", "window.step: expected at most 10000 steps in rolling, 24h, found 8s"),
        ("window", "{rolling: 90s}", "window.step: is needed: rolling 90s has no default step"),
        ("window", "{rolling: 10001s}", "window.step: is needed: rolling 10001s has no default step"),
        ("window", "{calendar: year}", 'window.calendar: expected day, week or month, found "year"'),
        ("window", "{calendar: day, timezone: utc}", f'window.timezone: {A_ZONE}, found "utc"'),
        ("window", "{calendar: day, timezone: Mars/Base}", f'window.timezone: {A_ZONE}, found "Mars/Base"'),
        ("window", "{calendar: day, timezone: ../UTC}", f'window.timezone: {A_ZONE}, found "../UTC"'),
        ("window", "{lifetime: false}", "window.lifetime: expected true, found false"),
        ("count", "{view: {}}", "count.view: unknown key, did you mean views?"),
        ("count", "{watch_hours: {}}", f"count.watch_hours: {A_TOPIC}"),
        ("count", "{views: }", f"count.views: expected a mapping of {FILTERS}, min_watch, found null"),
        ("count", "[]", "count: expected a mapping of views, likes, shares, comments, found a list"),
        (
            "count",
            "{likes: {min_watch: 5s}}",
            f"count.likes.min_watch: unknown key, expected one of {FILTERS}",
        ),
        ("count", "{views: {min_watch: 5}}", "count.views.min_watch: expected a duration such as 5s, found 5"),
        ("count", "{views: {sources: []}}", f"count.views.sources: {EMPTY}"),
        (
            "count",
            '{views: {sources: [""]}}',
            'count.views.sources[0]: expected a source: a string of 1 to 64 characters, found ""',
        ),
        ("count", "{views: {paid: no}}", 'count.views.paid: expected true or false, found "no"'),
        ("count", "{views: {paid: null}}", f"count.views.paid: {NOT_NULL}"),
        ("count", "{views: {exclude_self: 1}}", "count.views.exclude_self: expected true or false, found 1"),
        ("count", "{views: {at_most: {}}}", f"count.views.at_most.per_viewer: {NEEDED_INTEGER}"),
        ("count", "{views: {at_most: {per_viewer: 0}}}", f"count.views.at_most.per_viewer: {AN_INTEGER}, found 0"),
        (
            "count",
            "{likes: {at_most: {per_viewer: 1, of: viewer}}}",
            'count.likes.at_most.of: expected creator or video, found "viewer"',
        ),
        ("count", "{likes: {at_most: {per: month}}}", f"count.likes.at_most.per_viewer: {NEEDED_INTEGER}"),
        (
            "count",
            "{likes: {at_most: {per_viewer: 1, per: hour}}}",
            'count.likes.at_most.per: expected day, week or month, found "hour"',
        ),
        (
            "count",
            "{likes: {at_most: {per_viewer: 1, timezone: EST5}}}",
            f'count.likes.at_most.timezone: {A_ZONE}, found "EST5"',
        ),
        ("tiers", "[]", f"tiers: {EMPTY}"),
        ("tiers", "{bronze: 1}", "tiers: expected a list, found a mapping of \"bronze\""),
        ("tiers", "[bronze]", 'tiers[0]: expected a mapping of name, when, reward, found "bronze"'),
        ("tiers", f"[{{{TIER}, at: x}}]", "tiers[0].at: unknown key, expected one of name, when, reward"),
        ("tiers", f"[{{{TIER}}}, {{{TIER}}}]", "tiers[1].name: expected a name of its own, t is taken in line 6"),
        ("tiers", f"[{{{TIER.replace('name: t', 'name: a b')}}}]", f'tiers[0].name: {A_TIER_NAME}, found "a b"'),
        ("tiers", f"[{{{TIER.replace('name: t, ', '')}}}]", f"tiers[0].name: {NEEDED_NAME}"),
        ("award", "twice", f'award: {AN_AWARD}, found "twice"'),
        ("award", "null", f"award: {AN_AWARD}, found null"),
        ("award", "{once_per: hour}", 'award.once_per: expected day, week or month, found "hour"'),
        ("award", "{once_per: day, timezone: CET+1}", f'award.timezone: {A_ZONE}, found "CET+1"'),
        (
            "award",
            "once_per_window",
            "award: once_per_window goes with a tumbling or calendar window, found rolling",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_in_one_line(tmp_path: Path, key: str, value: str, line: str) -> None:
    text = good(**{key: value})
    number = 1 + [row.split(":")[0] for row in text.split("\n")].index(key)

    assert [f"creator.yaml:{number}: {line}"] == mistakes(folder(tmp_path, text))


@pytest.mark.parametrize(
    ("when", "line"),
    [
        ("{}", f": {A_CONDITION}, found an empty mapping"),
        ("[]", f": expected a mapping of {CONDITIONS}, found a list"),
        ("{views: many}", f'.views: {AN_INTEGER}, found "many"'),
        ("{views: 0}", f".views: {AN_INTEGER}, found 0"),
        ("{views: -1}", f".views: {AN_INTEGER}, found -1"),
        ("{views: 1e3}", f".views: {AN_INTEGER}, found 1e3"),
        ("{views: 1000.0}", f".views: {AN_INTEGER}, found 1000.0"),
        ("{views: 9223372036854775808}", f".views: {AN_INTEGER}, found 9223372036854775808"),
        ("{views: }", ".views: expected a value, or no such key, found null"),
        ("{views: 1,000}", f".000: {A_COMMA}"),
        ("{views: 1,000,000}", f".000: {A_COMMA}"),
        ("{views:1, likes: 1}", '."views:1": unknown key: a blank is missing after the colon of views'),
        ("{vews: 1, views: 1}", ".vews: unknown key, did you mean views?"),
        ("{watch_hours: 0}", f".watch_hours: {HOURS}, found 0"),
        ("{watch_hours: -0.5}", f".watch_hours: {HOURS}, found -0.5"),
        ('{watch_hours: "a"}', f'.watch_hours: {HOURS}, found "a"'),
        ("{watch_hours: .inf}", f'.watch_hours: {HOURS}, found ".inf"'),
        ("{watch_hours: 1e9999}", f".watch_hours: {HOURS}, found 1e9999"),
        ("{all: []}", f".all: {EMPTY}"),
        ("{any: {views: 1}}", '.any: expected a list, found a mapping of "views"'),
        ("{all: [{any: [{views: 1}, {}]}]}", f".all[0].any[1]: {A_CONDITION}, found an empty mapping"),
        ("{all: [{any: [{veiws: 1}]}]}", ".all[0].any[0].veiws: unknown key, did you mean views?"),
    ],
)
def test_a_wrong_condition_is_told_in_one_line(tmp_path: Path, when: str, line: str) -> None:
    text = good(tiers=f'\n- name: t\n  when: {when}\n  reward: {{amount: "1", currency: USD}}')

    assert [f"creator.yaml:8: tiers[0].when{line}"] == mistakes(folder(tmp_path, text))


@pytest.mark.parametrize(
    ("reward", "line"),
    [
        (
            "{}",
            f".amount: {AN_AMOUNT}|.currency: {A_CURRENCY}".replace("expected", "is needed:"),
        ),
        ("{amount: 5.00, currency: USD}", f".amount: {AN_AMOUNT}, found 5.00"),
        ("{amount: 5, currency: USD}", f".amount: {AN_AMOUNT}, found 5"),
        ('{amount: "-5.00", currency: USD}', f'.amount: {AN_AMOUNT}, found "-5.00"'),
        ('{amount: "1e3", currency: USD}', f'.amount: {AN_AMOUNT}, found "1e3"'),
        ('{amount: "1,00", currency: USD}', f'.amount: {AN_AMOUNT}, found "1,00"'),
        ('{amount: "", currency: USD}', f'.amount: {AN_AMOUNT}, found ""'),
        (
            '{amount: "1", currency: usd}',
            f'.currency: {A_CURRENCY}, found "usd"',
        ),
        ('{amount: "1", currency: USD, note: x}', ".note: unknown key, expected one of amount, currency"),
        ("{amount: 1,000.00, currency: USD}", f'."000.00": {A_COMMA}|.amount: {AN_AMOUNT}, found 1'),
        ("free", ': expected a mapping of amount, currency, found "free"'),
    ],
)
def test_a_wrong_reward_is_told(tmp_path: Path, reward: str, line: str) -> None:
    text = good(tiers=f"\n- name: t\n  when: {{views: 1}}\n  reward: {reward}")

    expected = [f"creator.yaml:9: tiers[0].reward{part}" for part in line.split("|")]
    assert expected == mistakes(folder(tmp_path, text))


@pytest.mark.parametrize("window", ["{tumbling: 1h}", "{calendar: day}", "{lifetime: true}"])
def test_once_per_goes_with_no_other_window_than_rolling(tmp_path: Path, window: str) -> None:
    kind = window[1 : window.index(":")]
    found = mistakes(folder(tmp_path, good(window=window, award="{once_per: day}")))

    assert [f"creator.yaml:7: award: once_per goes with a rolling window, found {kind}"] == found


def test_once_per_window_does_not_go_with_lifetime(tmp_path: Path) -> None:
    (found,) = mistakes(folder(tmp_path, good(window="{lifetime: true}", award="once_per_window")))

    assert found.endswith("award: once_per_window goes with a tumbling or calendar window, found lifetime")


def test_counts_start_at_from_or_earlier(tmp_path: Path) -> None:
    text = good(effective="{from: 2026-01-01T00:00:00Z}", count_from="2026-01-01T00:00:00.001Z")

    assert [
        "creator.yaml:8: count_from: expected a time not after effective.from, 2026-01-01T00:00:00Z, "
        "found 2026-01-01T00:00:00.001Z"
    ] == mistakes(folder(tmp_path, text))


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("program", A_NAME.replace("expected", ":")),
        ("version", AN_INTEGER.replace("expected", ":")),
        ("regions", ""),
        ("subject", ": creator or video"),
        ("window", ": a mapping of rolling, step, tumbling, calendar, timezone, lifetime"),
        ("tiers", ": a list, each a mapping of name, when, reward"),
    ],
)
def test_a_missing_key_is_told_at_the_start_of_its_document(tmp_path: Path, key: str, what: str) -> None:
    found = mistakes(folder(tmp_path, good(program="other"), good(**{key: None})))

    assert [f"creator.yaml:8: {key}: is needed{what}"] == found


@pytest.mark.parametrize(("text", "found"), [("- a", "a list"), ("a", '"a"'), ("3", "3")])
def test_a_document_is_a_mapping(tmp_path: Path, text: str, found: str) -> None:
    assert [f"creator.yaml:1: expected a mapping, found {found}"] == mistakes(folder(tmp_path, text))


def test_all_mistakes_of_all_files_are_told_at_once_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    place = folder(
        tmp_path,
        good(version="0", widnow="{}", award="{once_per: day}"),
        good(program="y", window="{rolling: 90s}", award="once_per_window"),
        good(program="y", subject="video"),
        a=good(program="z", regions="[us]", count="{views: {at_most: {per_viewer: 1.5}}}"),
        b="a: [",
        c=good(
            program="x",
            window="{tumbling: 1h}",
            award="{once_per: day}",
            tiers=f"[{{{TIER}}}, {{{TIER}}}, 3]",
        ),
    )

    same = "expected the same as in version 1 (creator.yaml:10): it may not change between versions"
    assert [
        f'a.yaml:3: regions[0]: {A_REGION}, found "us"',
        f"a.yaml:7: count.views.at_most.per_viewer: {AN_INTEGER}, found 1.5",
        "b.yaml:1: not YAML: expected the node content, but found '<stream end>'",
        "c.yaml:6: tiers[1].name: expected a name of its own, t is taken in line 6",
        "c.yaml:6: tiers[2]: expected a mapping of name, when, reward, found 3",
        "c.yaml:7: award: once_per goes with a rolling window, found tumbling",
        f"creator.yaml:2: version: {AN_INTEGER}, found 0",
        "creator.yaml:7: widnow: unknown key, did you mean window?",
        "creator.yaml:14: window.step: is needed: rolling 90s has no default step",
        "creator.yaml:16: award: once_per_window goes with a tumbling or calendar window, found rolling",
        f"creator.yaml:18: award: {same}",
        "creator.yaml:19: version: y has version 1 (creator.yaml:10) already",
        f"creator.yaml:21: subject: {same}",
    ] == mistakes(place)


def test_what_the_reader_found_is_not_told_again(tmp_path: Path) -> None:
    text = good(subject="&kind creator", regions="*kind")

    assert [
        "creator.yaml:3: regions: expected the value itself, found an alias",
        "creator.yaml:4: subject: expected no anchor, found &kind",
    ] == mistakes(folder(tmp_path, text))


def test_a_mistake_is_one_printable_line_whatever_was_written() -> None:
    assert r'a.yaml:1: "x\ny"[0].b-c: p' == str(Mistake("a.yaml", 1, field_name(("x\ny", 0, "b-c")), "p"))
    assert '"\\u2028\\ud800"' == quoted("\u2028\ud800")


def test_known_keys_are_those_of_all_shapes_at_any_depth() -> None:
    assert ["rolling", "step", "tumbling", "calendar", "timezone", "lifetime"] == known_keys(("window",))
    assert ["amount", "currency"] == known_keys(("tiers", 3, "reward"))
    assert known_keys(("tiers", 0, "when")) == known_keys(("tiers", 0, "when", "all", 1, "any", 0))
    assert [] == known_keys(("nothing", "there"))
