#!/usr/bin/env python3
"""bench/results/page.html: charts of every recorded result, in one file that fetches nothing. Made by `./dev bench
--record`, or by bench/page.py alone; `bench: results_test` fails when it is not what the results make it."""
import html

import results

PAGE = results.RESULTS / "page.html"
WIDTH, BAR, GAP, LEFT, RIGHT = 900, 12, 10, 150, 220
LETTER = 7.5  # wide, of the widest of the fonts that are sans-serif somewhere
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8d6a9f", "#c9822b", "#3d5a80", "#6b8e23", "#b5179e", "#555555")
STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 940px; color: #222; background: #fff; }
table { border-collapse: collapse; margin: 1em 0; } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right; }
td:first-child, th:first-child { text-align: left; } svg { max-width: 100%; height: auto; } svg text { font: 12px sans-serif; fill: #222; }
.facts { color: #555; }
""".strip()


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{html.escape(str(words))}</text>'


def change(value, before):
    return "" if not before else f"{(value / before - 1) * 100:+.1f} %"


def letters(names):
    """How wide the longest of them is drawn."""
    return round(LETTER * max(map(len, names)))


def bars(result, unit):
    """The values of one result as bars, the ones before them in grey."""
    rows = [(name, row[unit], row.get("previous", {}).get(unit)) for name, row in result["rows"].items() if unit in row]
    most = max(max(value, before or 0) for _, value, before in rows) or 1
    left_margin = max(LEFT, letters(name for name, _, _ in rows) + 8)
    shown = [f"{value:,} {change(value, before)}" for _, value, before in rows]
    scale = (WIDTH - left_margin - max(RIGHT, letters(shown) + 8)) / most
    height = len(rows) * (2 * BAR + GAP) + GAP
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(result["units"][unit])}">']
    for number, (name, value, before) in enumerate(rows):
        top = GAP + number * (2 * BAR + GAP)
        if before:
            out.append(f'<rect x="{left_margin}" y="{top}" width="{before * scale:.1f}" height="{BAR}" fill="#bbb"/>')
        out.append(f'<rect x="{left_margin}" y="{top + BAR}" width="{value * scale:.1f}" height="{BAR}" fill="{COLOURS[0]}"/>')
        out.append(text(left_margin - 8, top + BAR + 4, name, "end"))
        longest = max(value, before or 0) * scale
        out.append(text(left_margin + longest + 8, top + BAR + 4, shown[number]))
    return "\n".join([*out, "</svg>"])


def lines(history, unit):
    """How each row went from its first result on, which is 100 %. Empty when all began at zero."""
    names = list(dict.fromkeys(name for result in history for name, row in result["rows"].items() if unit in row))
    series = {name: [(at, result["rows"][name][unit]) for at, result in enumerate(history)
                     if unit in result["rows"].get(name, {})] for name in names}
    shares = {name: [(at, value / points[0][1]) for at, value in points]
              for name, points in series.items() if points[0][1]}
    if not shares:
        return ""
    most = max(max(share for _, share in points) for points in shares.values())
    top, right = 12, max(RIGHT, 40 + letters(f"{name} {points[-1][1] * 100:.0f} %" for name, points in shares.items()))
    height = max(260, top + 18 * len(shares) + 24)
    step = (WIDTH - LEFT - right) / max(1, len(history) - 1)

    def place(at, share):
        return f"{LEFT + at * step:.1f},{height - 24 - share / most * (height - 24 - top):.1f}"
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="share of the first result">',
           f'<path d="M{LEFT},{top} V{height - 24} H{WIDTH - right}" fill="none" stroke="#999"/>',
           text(LEFT - 8, top + 4, f"{most * 100:.0f} %", "end"), text(LEFT - 8, height - 24, "0 %", "end")]
    for number, (name, points) in enumerate(shares.items()):
        colour = COLOURS[number % len(COLOURS)]
        out.append(f'<polyline points="{" ".join(place(*point) for point in points)}" fill="none" stroke="{colour}" '
                   'stroke-width="2"/>')
        out.append(f'<rect x="{WIDTH - right + 16}" y="{top + number * 18 - 8}" width="10" height="10" fill="{colour}"/>')
        out.append(text(WIDTH - right + 32, top + number * 18 + 1, f"{name} {points[-1][1] * 100:.0f} %"))
    for at, result in enumerate(history):
        out.append(text(LEFT + at * step, height - 6, result["commit"][:7], "middle"))
    return "\n".join([*out, "</svg>"])


def table(result):
    units = list(result["units"])
    out = ["<table><tr><th>row</th>" + "".join(f"<th>{unit}</th><th>before</th><th></th>" for unit in units) + "</tr>"]
    for name, row in result["rows"].items():
        cells = ""
        for unit in units:
            value, before = row.get(unit), row.get("previous", {}).get(unit)
            texts = ["" if number is None else f"{number:,}" for number in (value, before)]
            cells += f"<td>{texts[0]}</td><td>{texts[1]}</td><td>{change(value, before) if value is not None else ''}</td>"
        out.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
    return "\n".join([*out, "</table>"])


def section(history):
    last = history[-1]
    facts = ", ".join(html.escape(last[key]) for key in ("date", "machine", "compiler"))
    became = f' (now {html.escape(last["became"])})' if "became" in last else ""
    out = [f"<h2>{html.escape(last['bench'])}</h2>", f"<p>{html.escape(last['about'])}</p>",
           f'<p class="facts">commit {html.escape(last["commit"])}{became}, {facts}, <code>{html.escape(last["command"])}</code></p>']
    for unit, words in last["units"].items():
        if not any(unit in row for row in last["rows"].values()):
            continue
        out += [f"<h3>{html.escape(words)}</h3>", bars(last, unit)]
        course = lines(history, unit)
        if len(history) > 1 and course:
            out += ["<p>From the first result on, which is 100 %:</p>", course]
    return "\n".join([*out, table(last)])


def page(recorded):
    """The page of these results, as text."""
    benches = {}
    for result in recorded:
        benches.setdefault(result["bench"], []).append(result)
    return "\n".join(["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8"><title>Weir: benches</title>',
                      f"<style>\n{STYLE}\n</style></head><body>", "<h1>What Weir costs</h1>",
                      "<p>Blue is the last result, grey the one before it. Compare ratios: machines differ.</p>",
                      *(section(benches[name]) for name in sorted(benches)), "</body></html>", ""])


def write():
    PAGE.write_text(page(results.load()))
    return PAGE


if __name__ == "__main__":
    print(write())
