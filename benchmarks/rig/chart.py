"""Bar charts as SVG: medians with a line from the smallest to the largest round."""
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
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
            f'height="{y}" font-family="system-ui, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")
