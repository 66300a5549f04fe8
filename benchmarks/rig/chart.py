"""Charts as SVG: bars, or curves over a logarithmic axis; medians with a line from the smallest to
the largest round."""
import math
from xml.sax.saxutils import escape

WIDTH, LABELS, RIGHT, BAR, GAP, HEAD = 760, 190, 110, 18, 6, 46
OURS, FLOOR, PEER, INK, PALE = "#2563eb", "#9ca3af", "#d9a441", "#1f2937", "#6b7280"


def colour(name, label):
    if name.startswith("parley"):
        return OURS
    return FLOOR if label.startswith("floor") else PEER


def text(x, y, content, size=12, anchor="start", fill=INK, weight="normal"):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{fill}" font-weight="{weight}">{escape(content)}</text>')


def bar(y, row, most):
    """`row`: name, label, least, median, largest, the median as text."""
    name, label, least, median, largest, shown = row
    scale = (WIDTH - LABELS - RIGHT) / most if most else 0
    end, middle = LABELS + median * scale, y + BAR / 2
    return [
        text(LABELS - 8, y + 13, label, anchor="end"),
        f'<rect x="{LABELS}" y="{y}" width="{max(1, median * scale):.1f}" height="{BAR}" '
        f'fill="{colour(name, label)}"/>',
        f'<line x1="{LABELS + least * scale:.1f}" x2="{LABELS + largest * scale:.1f}" '
        f'y1="{middle}" y2="{middle}" stroke="{INK}"/>',
        text(max(end, LABELS + largest * scale) + 6, y + 13, shown),
    ]


def chart(panels):
    """`panels`: title, subtitle and rows of each, under one another."""
    body, y = [], 10
    for title, subtitle, rows in panels:
        body += [text(10, y + 14, title, 14, weight="bold"),
                 text(10, y + 31, subtitle, 11, fill=PALE)]
        y += HEAD
        most = max((row[4] for row in rows), default=0)
        for row in rows:
            body += bar(y, row, most)
            y += BAR + GAP
        y += 16
    return picture(body, y)


def picture(body, height):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" font-family="system-ui, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            + "\n".join(body) + "\n</svg>\n")


# ---- Curves ----

PLOT_HEIGHT, PLOT_LEFT, PLOT_RIGHT = 110, 70, 30


def thousands(value):
    """A point of an axis, short: 10k, 1M."""
    for size, sign in ((10**6, "M"), (10**3, "k")):
        if value >= size and value % size == 0:
            return f"{value // size}{sign}"
    return str(value)


def curve(y, points):
    """`points`: where on the axis, least, median, largest, the median as text. Both axes are
    logarithmic, of the same scale or a flatter one: a line that climbs a decade in a decade is
    linear growth. The height is two decades at least."""
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])
    seen = [value for point in points for value in point[1:4] if value > 0]
    if not seen:
        return []
    bottom = math.floor(math.log10(min(seen)))
    top = max(bottom + 2, math.ceil(math.log10(max(seen))))
    right = WIDTH - PLOT_RIGHT

    def across(value):
        share = (math.log10(value) - low) / (high - low) if high > low else 0.5
        return PLOT_LEFT + share * (right - PLOT_LEFT)

    def up(value):
        share = (math.log10(max(value, 10**bottom)) - bottom) / (top - bottom)
        return y + PLOT_HEIGHT * (1 - share)

    made = []
    for decade in range(bottom, top + 1):
        at = up(10**decade)
        made += [f'<line x1="{PLOT_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}" '
                 f'stroke="{FLOOR}" stroke-width="0.5"/>',
                 text(PLOT_LEFT - 8, at + 4, f"{10**decade:g}", 10, "end", PALE)]
    line = " ".join(f"{across(at):.1f},{up(median):.1f}" for at, _, median, _, _ in points)
    made.append(f'<polyline points="{line}" fill="none" stroke="{OURS}" stroke-width="2"/>')
    for at, least, median, largest, shown in points:
        x = across(at)
        made += [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{up(least):.1f}" y2="{up(largest):.1f}" '
                 f'stroke="{INK}"/>',
                 f'<circle cx="{x:.1f}" cy="{up(median):.1f}" r="3" fill="{OURS}"/>',
                 text(x, up(median) - 7, shown, 10, "middle"),
                 text(x, y + PLOT_HEIGHT + 14, thousands(at), 10, "middle", PALE)]
    return made


def curves(panels):
    """`panels`: title, subtitle and points of each, under one another."""
    body, y = [], 10
    for title, subtitle, points in panels:
        body += [text(10, y + 14, title, 14, weight="bold"),
                 text(10, y + 31, subtitle, 11, fill=PALE)]
        y += HEAD + 10
        body += curve(y, points)
        y += PLOT_HEIGHT + 40
    return picture(body, y)
