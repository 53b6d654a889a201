"""Figures as a table in Markdown, for docs/comparison.md."""

from collections.abc import Iterator

from benchmarks.peers.catalogue import ENGINE
from benchmarks.peers.figures import Figures, Verdict
from benchmarks.peers.results import Circumstances, Results

_COLUMNS = (
    "peer",
    "form",
    "events",
    "CPU µs an event",
    "× bonus-stream",
    "events a second",
    "servers, µs",
    "memory, MiB",
    "awards",
)
_NONE, _SELDOM = "–", "*"
_SELDOM_NOTE = "Too few commits in the second half of the load to measure it: the whole run, start included."


def markdown(results: Results) -> str:
    """The circumstances in a paragraph, the table, and what limits each peer."""
    rows = [_COLUMNS, ("---", "---", *["---:"] * (len(_COLUMNS) - 3), "---"), *_rows(results["peers"])]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    note = f"\\{_SELDOM} {_SELDOM_NOTE}\n\n" if any(map(_mark, results["peers"])) else ""
    return f"{_paragraph(results['circumstances'])}\n\n{table}\n\n{note}{_limits(results['peers'])}\n"


def line(figures: Figures) -> str:
    """A peer's figures in a line."""
    steady, verdict = figures["steady"], figures["verdict"]
    if verdict is None:
        return f"  {figures['name']}: {figures['failed']}"
    if steady is None:
        return f"  {figures['name']}: too short to be measured; awards: {judged(verdict)}"
    return (
        f"  {figures['name']}: {_figure(steady['cpu_us'])} CPU µs an event, "
        f"{steady['events_a_second']:,.0f} events a second; awards: {judged(verdict)}"
    )


def judged(verdict: Verdict) -> str:
    """Whether the awards were those that were due, in words."""
    wrong = [f"{verdict[name]:,} {name}" for name in ("missing", "false", "doubled") if verdict[name]]
    return f"{', '.join(wrong)} of {verdict['due']:,}" if wrong else f"all {verdict['due']:,} right"


def _rows(peers: list[Figures]) -> Iterator[tuple[str, ...]]:
    unit = next((each["steady"] for each in peers if each["name"] == ENGINE), None)
    for each in peers:
        steady, verdict = each["steady"], each["verdict"]
        yield (
            f"{each['tool']} {each['version']}",
            each["form"],
            f"{each['events']:,}",
            _figure(steady["cpu_us"]) + _mark(each) if steady else _NONE,
            _figure(steady["cpu_us"] / unit["cpu_us"]) if steady and unit else _NONE,
            f"{steady['events_a_second']:,.0f}" if steady else _NONE,
            _figure(steady["servers_cpu_us"]) if steady and steady["servers_cpu_us"] else _NONE,
            f"{each['max_rss_mib']:,.0f}" if verdict else _NONE,
            judged(verdict) if verdict else f"none: {each['failed']}",
        )


def _mark(figures: Figures) -> str:
    steady = figures["steady"]
    return _SELDOM if steady and steady["since"] < figures["events"] / 2 else ""


def _figure(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _limits(peers: list[Figures]) -> str:
    return "\n".join(f"- {each['tool']}, {each['form']}: {each['limits']}." for each in peers)


def _paragraph(run: Circumstances) -> str:
    pinned = (
        "each peer on one core of its own, broker and Redis on the rest" if run["pinned"] else "not pinned"
    )
    return (
        f"{run['date']}, {run['processor']}, {run['cores']} cores, {run['memory_gib']} GiB, {run['system']}, "
        f"Kafka {run['kafka']}, Python {run['python']}; {pinned}; {run['span']} of event time, seed {run['seed']}; "
        f"reference loop {run['reference_us']:.3f} µs an iteration."
    )
