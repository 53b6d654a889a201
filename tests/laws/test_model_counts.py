"""Model and engine against examples worked out by hand: what counts, and what a count spans."""

from stream.core.rules import (
    AtMost,
    Calendar,
    Lifetime,
    Line,
    OncePerWindow,
    Period,
    Program,
    Rolling,
    Topic,
    Tumbling,
)
from tests.builders import DAY, HOUR, MINUTE, SECOND, Log, program, tier, version
from tests.laws.engine import agreed
from tests.model import count_start

T = 1_000 * DAY
WINDOW = Tumbling(DAY)
ONE_A_DAY = Line(at_most=AtMost(1, "video", Period("day")))


def offsets(log: Log, *programs: Program) -> list[int]:
    """The offsets of the records that brought bonuses."""
    return [bonus.evidence.offset for bonus in agreed(programs, log.records)]


def versions_of(log: Log, *programs: Program) -> list[tuple[int, int]]:
    """The version and the evidence's offset of each bonus."""
    return [(bonus.program_version, bonus.evidence.offset) for bonus in agreed(programs, log.records)]


# --- Filters ---


def test_filters_narrow_what_counts() -> None:
    line = Line(5 * SECOND, frozenset({"for_you"}), False, True)
    log = Log()
    log.add("views", T, watch_ms=4_999, source="for_you")
    log.add("views", T, watch_ms=5_000, source="search")
    log.add("views", T, watch_ms=5_000, source="for_you", paid=True)
    log.add("views", T, watch_ms=5_000, source="for_you", viewer_id="ada")
    log.add("views", T, watch_ms=5_000, source="for_you")
    assert offsets(log, program(version(WINDOW, tier(views=1), lines={"views": line}))) == [4]
    assert offsets(log, program(version(WINDOW, tier(views=1)))) == [0]


def test_paid_true_counts_only_paid() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T, paid=True)
    assert offsets(log, program(version(WINDOW, tier(likes=1), lines={"likes": Line(paid=True)}))) == [1]


def test_only_events_of_the_campaigns_count() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T, campaign_id="other")
    log.add("likes", T, campaign_id="acme-24")
    assert offsets(log, program(version(WINDOW, tier(likes=1), campaigns=frozenset({"acme-24"})))) == [2]


def test_a_remove_must_pass_the_filters_too() -> None:
    log = Log()
    log.add("likes", T)
    log.remove("likes", T, paid=True)
    log.add("likes", T)
    assert offsets(log, program(version(WINDOW, tier(likes=2), lines={"likes": Line(paid=False)}))) == [2]
    assert offsets(log, program(version(WINDOW, tier(likes=2)))) == []


def test_an_event_that_does_not_count_makes_no_pane_judged() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T + MINUTE, paid=True)
    narrowed: dict[Topic, Line] = {"likes": Line(paid=False)}
    rules = program(
        version(Rolling(HOUR, MINUTE), tier(likes=2), until_ms=T + MINUTE, lines=narrowed),
        version(Rolling(HOUR, MINUTE), tier(likes=1), number=2, from_ms=T + MINUTE, lines=narrowed),
    )
    assert offsets(log, rules) == []


def test_how_counters_are_shared_between_programmes_does_not_show() -> None:
    variants = [
        version(WINDOW, tier(views=1), campaigns=frozenset({"acme-24"})),
        version(WINDOW, tier(views=1), regions=frozenset({"US"})),
        version(WINDOW, tier(views=1), from_ms=T + 1, count_from_ms=T + 1),
        version(Rolling(DAY, HOUR), tier(views=1), lines={"views": Line(min_watch_ms=1)}),
        version(WINDOW, tier(views=1), lines={"views": Line(sources=frozenset({"for_you"}))}),
        version(WINDOW, tier(views=1), lines={"views": Line(paid=False)}),
        version(WINDOW, tier(views=1), lines={"views": Line(exclude_self=True)}),
        version(WINDOW, tier(views=1), lines={"views": Line(at_most=AtMost(1, "video", Period("day")))}),
    ]
    log = Log()
    log.add("views", T, region="GB", paid=True, viewer_id="ada")
    log.add("views", T + DAY, watch_ms=1, source="for_you", campaign_id="acme-24")
    everything = program(version(WINDOW, tier(views=1)), name="everything")
    narrowed = [program(each, name=f"narrowed-{n}") for n, each in enumerate(variants)]
    for programs in ([everything, *narrowed], [*narrowed, everything]):
        found = {bonus.program: bonus.evidence.offset for bonus in agreed(programs, log.records)}
        assert found == {"everything": 0, "narrowed-7": 0} | {f"narrowed-{n}": 1 for n in range(7)}


# --- Regions ---


def test_regions_never_add_up_and_the_award_is_one_per_subject() -> None:
    log = Log()
    log.add("likes", T, region="US")
    log.add("likes", T, region="GB")
    log.add("likes", T, region="GB")
    log.add("likes", T, region="US")
    assert offsets(log, program(version(WINDOW, tier(likes=2)))) == [2]
    assert offsets(log, program(version(WINDOW, tier(likes=2), regions=frozenset({"US", "DE"})))) == [3]
    assert offsets(log, program(version(WINDOW, tier(likes=1), regions=frozenset({"DE"})))) == []


# --- at_most ---


def test_the_first_events_of_a_viewer_on_a_video_count_in_each_period() -> None:
    log = Log()
    log.add("views", T + 1)
    log.add("views", T)
    log.add("views", T, video_id="v2")
    log.add("views", T, viewer_id="eve")
    log.add("views", T + DAY, viewer_id="eve")
    rules = program(version(Rolling(2 * DAY, DAY), tier(views=4), lines={"views": ONE_A_DAY}))
    assert offsets(log, rules) == [4]


def test_at_most_of_a_creator_spans_its_videos() -> None:
    line = Line(at_most=AtMost(2, "creator", Period("month")))
    log = Log()
    for video in "abc":
        log.add("views", T, video_id=video)
    log.add("views", T, viewer_id="eve")
    assert offsets(log, program(version(WINDOW, tier(views=3), lines={"views": line}))) == [3]


def test_a_remove_frees_a_place_only_where_one_is_taken() -> None:
    log = Log()
    log.remove("likes", T)
    log.add("likes", T)
    log.add("likes", T)
    log.remove("likes", T)
    log.add("likes", T)
    log.add("likes", T, viewer_id="eve")
    assert offsets(log, program(version(WINDOW, tier(likes=1), lines={"likes": ONE_A_DAY}))) == [1]
    assert offsets(log, program(version(WINDOW, tier(likes=2), lines={"likes": ONE_A_DAY}))) == [5]


def test_a_remove_looks_for_its_place_in_the_period_of_what_it_takes_back() -> None:
    log = Log()
    log.add("likes", T - 1)
    log.add("likes", T)
    log.remove("likes", T + 1, added_at=T - 1)
    log.add("likes", T + 2)
    log.add("likes", T - 1, arrives=T + 2)
    log.add("likes", T, viewer_id="eve")
    rules = program(version(Rolling(2 * DAY, DAY), tier(likes=3), lines={"likes": ONE_A_DAY}))
    assert offsets(log, rules) == [5]


def test_places_are_forgotten_once_their_period_and_the_lateness_are_over() -> None:
    rules = program(version(Lifetime(), tier(likes=2), lines={"likes": ONE_A_DAY}))
    for arrives, expected in [(T + DAY + HOUR, []), (T + DAY + HOUR + 1, [2])]:
        log = Log()
        log.add("likes", T)
        log.remove("likes", arrives, added_at=T)
        log.add("likes", arrives, viewer_id="eve")
        assert offsets(log, rules) == expected


def test_an_event_that_does_not_pass_the_filters_takes_no_place() -> None:
    line = Line(paid=False, at_most=AtMost(1, "video", Period("day")))
    log = Log()
    log.add("views", T, paid=True)
    log.add("views", T)
    log.add("views", T)
    assert offsets(log, program(version(WINDOW, tier(views=1), lines={"views": line}))) == [1]
    assert offsets(log, program(version(WINDOW, tier(views=2), lines={"views": line}))) == []


def test_each_topics_line_and_each_region_has_places_of_its_own() -> None:
    lines: dict[Topic, Line] = {"likes": ONE_A_DAY, "shares": ONE_A_DAY}
    log = Log()
    log.add("likes", T, region="US")
    log.add("likes", T, region="GB")
    log.add("shares", T, region="GB")
    assert offsets(log, program(version(WINDOW, tier(likes=1, shares=1), lines=lines))) == [0]
    assert versions_of(
        log, program(version(WINDOW, tier(likes=1), regions=frozenset({"GB"}), lines=lines))
    ) == [(1, 1)]


def test_places_are_of_local_periods() -> None:
    in_new_york = Line(at_most=AtMost(1, "video", Period("day", "America/New_York")))
    log = Log()
    log.add("likes", T + 4 * HOUR - 1)
    log.add("likes", T + 4 * HOUR)
    assert offsets(log, program(version(WINDOW, tier(likes=2), lines={"likes": in_new_york}))) == [1]
    assert offsets(log, program(version(WINDOW, tier(likes=2), lines={"likes": ONE_A_DAY}))) == []


def test_a_removed_like_makes_room_for_one_more_of_the_same_viewer() -> None:
    log = Log()
    log.add("likes", T)
    log.add("likes", T, event_id="finds no place")
    log.remove("likes", T, added_at=T)
    log.add("likes", T, viewer_id="eve")
    log.add("likes", T)
    assert offsets(log, program(version(WINDOW, tier(likes=2), lines={"likes": ONE_A_DAY}))) == [4]


# --- What a count spans ---


def test_a_count_begins_at_the_from_of_its_version() -> None:
    log = Log()
    log.add("likes", T - 1)
    log.add("likes", T)
    log.add("likes", T + 1)
    assert offsets(log, program(version(Rolling(DAY, HOUR), tier(likes=2), from_ms=T))) == [2]


def test_count_from_begins_a_count_earlier_and_judges_no_earlier() -> None:
    log = Log()
    log.add("likes", T - HOUR - 1)
    log.add("likes", T - HOUR)
    log.add("likes", T - 1)
    log.add("likes", T)
    rules = version(Rolling(DAY, MINUTE), tier(likes=2), from_ms=T, count_from_ms=T - HOUR)
    assert offsets(log, program(rules)) == [3]


def test_an_equal_line_carries_its_count_on_also_across_a_gap() -> None:
    first = version(Rolling(2 * DAY, HOUR), tier(likes=9), until_ms=T)
    log = Log()
    log.add("likes", T - 1)
    log.add("likes", T + 1)
    log.add("likes", T + HOUR)
    same = version(Rolling(2 * DAY, HOUR), tier(likes=3), number=2, from_ms=T + HOUR)
    assert versions_of(log, program(first, same)) == [(2, 2)]


def test_another_filter_campaign_or_region_begins_a_new_count() -> None:
    us = frozenset({"US"})
    first = version(WINDOW, tier(likes=9), from_ms=0, until_ms=T, regions=us, campaigns=frozenset({"a"}))
    lines: list[tuple[dict[Topic, Line], int]] = [
        ({"likes": Line()}, 0),
        ({"views": Line(paid=False)}, 0),
        ({"likes": Line(exclude_self=True)}, T),
    ]
    for line, start in lines:
        second = version(WINDOW, tier(likes=9), from_ms=T, number=2, campaigns=frozenset({"a"}), lines=line)
        assert count_start(program(first, second), 1, "likes", "US") == start
        assert count_start(program(first, second), 1, "likes", "GB") == T
    wider = version(WINDOW, tier(likes=9), from_ms=T, number=2, regions=us, campaigns=frozenset({"a", "b"}))
    assert count_start(program(first, wider), 1, "likes", "US") == T


def test_watch_hours_have_the_count_start_of_the_views() -> None:
    first = version(Lifetime(), tier(views=9), from_ms=T, until_ms=T + DAY)
    log = Log()
    log.add("views", T, watch_ms=HOUR)
    log.add("views", T + DAY, watch_ms=HOUR)
    same = version(Lifetime(), tier(watch_hours=2 * HOUR), number=2, from_ms=T + DAY)
    assert versions_of(log, program(first, same)) == [(2, 1)]
    other = version(
        Lifetime(), tier(watch_hours=2 * HOUR), number=2, from_ms=T + DAY, lines={"views": Line(paid=False)}
    )
    assert versions_of(log, program(first, other)) == []


def test_a_changed_at_most_begins_a_new_count() -> None:
    first = version(
        Lifetime(), tier("gold", likes=9), from_ms=T, until_ms=T + DAY, lines={"likes": ONE_A_DAY}
    )
    log = Log()
    log.add("likes", T)
    log.add("likes", T + DAY)
    for per_viewer, expected in [(1, [(2, 1)]), (2, [])]:
        line = Line(at_most=AtMost(per_viewer, "video", Period("day")))
        second = version(Lifetime(), tier(likes=2), number=2, from_ms=T + DAY, lines={"likes": line})
        assert versions_of(log, program(first, second)) == expected


def test_programmes_beside_each_other_change_nothing_about_each_other() -> None:
    first = program(version(Rolling(2 * DAY, HOUR), tier(likes=2), from_ms=T), name="first")
    second = program(version(WINDOW, tier(likes=2)), name="second")
    third = program(version(Rolling(2 * DAY, HOUR), tier(likes=2), lines={"likes": ONE_A_DAY}), name="third")
    log = Log()
    log.add("likes", T - 2)
    log.add("likes", T - 1)
    log.add("likes", T)
    log.add("likes", T + 1)
    alone = [offsets(log, first), offsets(log, second), offsets(log, third)]
    assert alone == [[3], [1], [2]]
    assert sorted(offsets(log, first, second, third)) == [1, 2, 3]


def test_a_region_that_was_away_begins_anew() -> None:
    regions = [frozenset({"US", "GB"}), frozenset({"GB"}), None]
    three = [
        version(WINDOW, tier(likes=1), number=n + 1, from_ms=n * DAY, until_ms=(n + 1) * DAY, regions=r)
        for n, r in enumerate(regions)
    ]
    assert count_start(program(*three), 2, "likes", "US") == 2 * DAY
    assert count_start(program(*three), 2, "likes", "GB") == 0


def test_a_remove_of_something_before_the_count_changes_nothing() -> None:
    rules = program(version(Rolling(DAY, HOUR), tier(likes=2), from_ms=T))
    log = Log()
    log.add("likes", T)
    log.remove("likes", T, added_at=T - 1)
    log.add("likes", T)
    assert offsets(log, rules) == [2]


# --- In force ---


def test_a_window_is_judged_to_its_own_end_by_the_version_in_force_at_its_start() -> None:
    # windows   |---- T ----|          version 1 until T + 12 h
    # likes          1 |  2            both in the window of version 1
    early = version(WINDOW, tier(likes=2), until_ms=T + 12 * HOUR)
    late = version(WINDOW, tier(likes=1), number=2, from_ms=T + 12 * HOUR)
    log = Log()
    log.add("likes", T)
    log.add("likes", T + 13 * HOUR)
    assert versions_of(log, program(early, late)) == [(1, 1)]
    log.add("likes", T + DAY)
    assert versions_of(log, program(early, late, award=OncePerWindow())) == [(1, 1), (2, 2)]


def test_a_line_counts_on_after_until_for_the_windows_that_began_before() -> None:
    unpaid: dict[Topic, Line] = {"likes": Line(paid=False)}
    early = version(WINDOW, tier(likes=2), until_ms=T + HOUR, lines=unpaid)
    late = version(WINDOW, tier(likes=1), number=2, from_ms=T + HOUR)
    log = Log()
    log.add("likes", T)
    log.add("likes", T + 2 * HOUR, paid=True)
    log.add("likes", T + 2 * HOUR)
    assert versions_of(log, program(early, late)) == [(1, 2)]


def test_nothing_is_judged_in_a_gap() -> None:
    early = version(Rolling(DAY, MINUTE), tier(likes=1), until_ms=T)
    late = version(Rolling(DAY, MINUTE), tier(likes=2), number=2, from_ms=T + HOUR)
    log = Log()
    log.add("likes", T)
    assert versions_of(log, program(early, late)) == []
    log.add("likes", T + HOUR)
    assert versions_of(log, program(early, late)) == [(2, 1)]


def test_a_new_version_never_pays_again_what_an_older_one_paid() -> None:
    early = version(WINDOW, tier(likes=1), until_ms=T)
    late = version(WINDOW, tier(likes=1), number=2, from_ms=T)
    log = Log()
    log.add("likes", T - 1)
    log.add("likes", T)
    assert versions_of(log, program(early, late)) == [(1, 0)]
    assert versions_of(log, program(early, late, award=OncePerWindow())) == [(1, 0), (2, 1)]


def test_of_several_panes_at_one_record_the_earlier_is_reported() -> None:
    # panes     |--------T--------|
    # likes     3rd  1st 2nd            the third completes the panes of both versions
    early = version(Rolling(DAY, HOUR), tier(likes=2), until_ms=T)
    late = version(Rolling(DAY, HOUR), tier(likes=3), number=2, from_ms=T)
    log = Log()
    log.add("likes", T - HOUR // 2)
    log.add("likes", T)
    log.add("likes", T - HOUR)
    (bonus,) = agreed([program(early, late)], log.records)
    assert (bonus.program_version, bonus.window, bonus.evidence.offset) == (1, (T - DAY, T), 2)


def test_each_lifetime_version_sums_for_itself() -> None:
    early = version(Lifetime(), tier(likes=3), from_ms=T, until_ms=T + DAY)
    late = version(Lifetime(), tier(likes=3), number=2, from_ms=T + DAY)
    log = Log()
    log.add("likes", T)
    log.add("likes", T + DAY - 1)
    log.add("likes", T + DAY)
    assert versions_of(log, program(early, late)) == [(2, 2)]
    other = version(Lifetime(), tier(likes=3), number=2, from_ms=T + DAY, lines={"likes": Line(paid=False)})
    assert versions_of(log, program(early, other)) == []


def test_a_lifetime_version_is_judged_once_an_add_of_a_named_metric_lies_in_it() -> None:
    early = version(Lifetime(), tier("gold", likes=9), until_ms=T)
    late = version(Lifetime(), tier(likes=2), number=2, from_ms=T)
    log = Log()
    log.add("likes", T - 2)
    log.add("likes", T - 1)
    log.add("shares", T)
    assert versions_of(log, program(early, late)) == []
    log.add("likes", T)
    assert versions_of(log, program(early, late)) == [(2, 2)]


def test_a_version_may_change_its_window() -> None:
    early = version(Calendar(Period("day")), tier(likes=1), until_ms=T)
    late = version(Rolling(2 * DAY, HOUR), tier("two", likes=2), number=2, from_ms=T)
    log = Log()
    log.add("likes", T - DAY)
    log.add("likes", T)
    assert versions_of(log, program(early, late)) == [(1, 0), (2, 1)]
