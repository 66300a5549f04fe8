"""How the figures of a scenario with an axis grow along it: a table, and what it says."""
import math
import statistics

from scenarios import FIGURES, OF_EACH

FLAT, SUBLINEAR, LINEAR = 1.2, 8, 12.5  # up to these ratios a decade


def medians(runs, axis, figure):
    """Least, median and largest by point, of the points at which it was measured."""
    seen = {}
    for run in runs:
        if figure in run:
            seen.setdefault(run[axis], []).append(run[figure])
    return {point: (min(each), statistics.median(each), max(each)) for point, each in seen.items()}


def per_decade(start, end):
    """By how much the second of two (point, value) is more, for ten times the points."""
    (before, low), (after, high) = start, end
    if low <= 0 or high <= 0 or after <= before:
        return None
    return (high / low) ** (1 / math.log10(after / before))


def ratios(by_point):
    """From the first point to the last, and the largest between neighbours; None: no two points."""
    line = [(point, median) for point, (_, median, _) in sorted(by_point.items())]
    steps = [each for pair in zip(line, line[1:]) if (each := per_decade(*pair)) is not None]
    if not steps:
        return None
    return per_decade(line[0], line[-1]), max(steps)


def verdict(figure, whole, worst):
    """What the growth is of: of one operation, or of all that there is by how much there is."""
    if figure in OF_EACH:
        return "linear" if worst <= FLAT else "**more than linear**"
    for bound, name in ((FLAT, "flat"), (SUBLINEAR, "less than linear"), (LINEAR, "linear")):
        if whole <= bound:
            break
    else:
        return "**more than linear**"
    if worst > LINEAR:
        return name + "; **more than linear in one decade**"
    return name


def figures_of(scenario, runs):
    """The one compared first, then the others in the order in which FIGURES names them."""
    had = {figure for run in runs for figure in run}
    return [scenario.figure] + [f for f in FIGURES if f in had and f != scenario.figure]


def rows(scenario, runs, number):
    """A column for each point, then the growth of the median in a decade."""
    points = sorted({run[scenario.axis] for run in runs})
    yield ("| " + " | ".join([scenario.axis, *(f"{point:,}" for point in points),
                               "a decade", "worst decade", ""]) + " |")
    yield "|---|" + "---|" * (len(points) + 3)
    for figure in figures_of(scenario, runs):
        by_point = medians(runs, scenario.axis, figure)
        shown = []
        for point in points:
            least, median, largest = by_point.get(point, (0, 0, 0))
            spread = f" ({number(least)}–{number(largest)})" if largest > least else ""
            shown.append(number(median) + spread)
        grown = ratios(by_point)
        said = ([f"×{grown[0]:.2f}", f"×{grown[1]:.2f}", verdict(figure, *grown)] if grown
                else ["–", "–", ""])
        yield "| " + " | ".join([FIGURES[figure], *shown, *said]) + " |"
