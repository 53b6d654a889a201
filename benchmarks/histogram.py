"""A histogram of latencies, as text for a terminal and as SVG for a page. Values are ms, ascending."""

from html import escape

_BINS = 25
_TEXT_WIDTH = 60
_WIDTH, _HEIGHT, _MARGIN = 720, 280, 40
_SHOWN_SHARE = 0.995


def bins(ascending: list[float]) -> list[tuple[float, int]]:
    """Lower edges of equally wide bins, and how many values lie in each; the last takes all above it as well."""
    top = max(ascending[int(_SHOWN_SHARE * (len(ascending) - 1))], 0.001)
    width = top / (_BINS - 1)
    counts = [0] * _BINS
    for value in ascending:
        counts[min(_BINS - 1, int(max(0.0, value) / width))] += 1
    return [(number * width, count) for number, count in enumerate(counts)]


def text(ascending: list[float]) -> str:
    """A line a bin."""
    found = bins(ascending)
    most = max(count for _, count in found)
    lines = []
    for number, (edge, count) in enumerate(found):
        sign = "≥" if number == _BINS - 1 else " "
        lines.append(f"{sign}{edge:7.1f} ms {'█' * round(_TEXT_WIDTH * count / most)} {count}")
    return "\n".join(lines)


def svg(ascending: list[float], title: str) -> str:
    """A drawing with a bar a bin."""
    found = bins(ascending)
    most = max(count for _, count in found)
    step = (_WIDTH - 2 * _MARGIN) / _BINS
    base = _HEIGHT - _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="11" fill="#555"><text x="{_MARGIN}" y="20" font-size="13">{escape(title)}</text>'
    ]
    for number, (edge, count) in enumerate(found):
        x, height = _MARGIN + number * step, (base - _MARGIN) * count / most
        parts.append(
            f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{step - 2:.1f}" height="{height:.1f}" fill="#3b7dd8">'
            f"<title>from {edge:.1f} ms: {count}</title></rect>"
        )
        if number % 4 == 0:
            parts.append(f'<text x="{x:.1f}" y="{base + 16}">{edge:.0f} ms</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
