"""Bar plots as inline SVG, before beside after; drawn here, since three plain plots need no library.

Every bar tells its exact figures as a tooltip. Colours and sizes of text are the page's (classes ``before`` and
``after``). Lengths are plain numbers of SVG's own unit, scaled with the page.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, tostring

WIDTH = 920
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 8, 12, 34
_HEIGHT = 260
_LABELS = 12
_ROW, _BAR = 38, 13
_NAMES = 250
_STEPS = (Decimal(1), Decimal(2), Decimal(5))


class Pair(NamedTuple):
    """A label, and the two figures to be drawn there."""

    label: str
    before: Decimal
    after: Decimal


def columns(pairs: Sequence[Pair], title: str, show: Callable[[Decimal], str]) -> str:
    """Upright bars, two a label, over an axis from 0; ``title`` describes the plot to screen readers."""
    svg = _svg(_HEIGHT, title)
    bottom = _HEIGHT - _BOTTOM
    top = max((max(pair.before, pair.after) for pair in pairs), default=Decimal(0))
    ticks = _ticks(top)

    def y_of(value: Decimal) -> float:
        return bottom - float(value / ticks[-1]) * (bottom - _TOP)

    for tick in ticks:
        _line(svg, _LEFT, WIDTH - _RIGHT, y_of(tick))
        _text(svg, _LEFT - 8, y_of(tick) + 4, show(tick), "end")
    slot = (WIDTH - _LEFT - _RIGHT) / max(1, len(pairs))
    bar = min(slot * 0.4, 28)
    every = -(-len(pairs) // _LABELS)
    for index, pair in enumerate(pairs):
        middle = _LEFT + slot * (index + 0.5)
        for kind, value, x in (("before", pair.before, middle - bar), ("after", pair.after, middle)):
            tip = f"{pair.label}, {kind}: {show(value)}"
            _bar(svg, kind, x, y_of(value), bar, bottom - y_of(value), tip)
        if index % every == 0:
            _text(svg, middle, bottom + 20, pair.label, "middle")
    return tostring(svg, encoding="unicode")


def rows(pairs: Sequence[Pair], title: str, show: Callable[[Decimal], str]) -> str:
    """Lying bars, two a label, each with its figure."""
    svg = _svg(_ROW * max(1, len(pairs)), title)
    most = max((max(pair.before, pair.after) for pair in pairs), default=Decimal(0)) or Decimal(1)
    room = WIDTH - _NAMES - 90
    for index, pair in enumerate(pairs):
        y = index * _ROW + 4
        label = _text(svg, _NAMES - 10, y + _BAR + 5, _cut(pair.label), "end")
        SubElement(label, "title").text = pair.label
        for kind, value, at in (("before", pair.before, y), ("after", pair.after, y + _BAR + 1)):
            length = float(value / most) * room
            _bar(svg, kind, _NAMES, at, length, _BAR, f"{pair.label}, {kind}: {show(value)}")
            _text(svg, _NAMES + length + 6, at + _BAR - 2, show(value), "start")
    return tostring(svg, encoding="unicode")


def _ticks(top: Decimal) -> list[Decimal]:
    """Round steps from 0 to ``top`` or just beyond; three to six of them."""
    if top <= 0:
        return [Decimal(0), Decimal(1)]
    power = Decimal(1).scaleb(top.adjusted() - 1)
    step = next(step for scale in (power, power * 10) for each in _STEPS if top <= 5 * (step := each * scale))
    count = int((top / step).to_integral_value(ROUND_CEILING))
    return [step * number for number in range(count + 1)]


def _svg(height: float, title: str) -> Element:
    svg = Element(
        "svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "xmlns": "http://www.w3.org/2000/svg"}
    )
    SubElement(svg, "title").text = title
    return svg


def _bar(svg: Element, kind: str, x: float, y: float, width: float, height: float, tip: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    SubElement(SubElement(svg, "rect", {"class": kind} | place), "title").text = tip


def _line(svg: Element, left: float, right: float, y: float) -> None:
    SubElement(svg, "line", {"x1": f"{left}", "x2": f"{right}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"})


def _text(svg: Element, x: float, y: float, words: str, anchor: str) -> Element:
    text = SubElement(svg, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor})
    text.text = words
    return text


def _cut(label: str, most: int = 36) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
