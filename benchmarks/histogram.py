"""A histogram of latencies, as text for a terminal. Values are ms, ascending."""

_BINS = 25
_TEXT_WIDTH = 60
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
