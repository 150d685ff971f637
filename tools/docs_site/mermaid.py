"""Drawings in Mermaid as HTML: the two forms that the pages use, and an error for any other.

A chain of subgraphs becomes a pile of boxes, a flowchart of nodes and edges an SVG in layers. Both
go down whatever the drawing asks for, since a page is narrow, and a telephone more so. Colours are
those of the theme, so a drawing is right by day and by night.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise

__all__ = ["Chart", "drawn", "read"]

NODE = re.compile(r'(\w+)(?:\["([^"]*)"\])?')
EDGE = re.compile(r"\s*-->(?:\s*\|([^|]*)\|)?\s*")
LETTER, LINE, PAD = 7.4, 18, 10  # in px, of 14 px type: the width of a letter, a line, a margin
BESIDE, BELOW = 28, 46  # in px, between boxes
SWEEPS = 8  # of ordering the layers; a drawing of a page has come to rest by then
TIP = (
    '<defs><marker id="drawn-tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>'
)


@dataclass
class Chart:
    """Nodes by name with their lines of text, edges with their labels, and subgraphs."""

    labels: dict[str, list[str]] = field(default_factory=dict)
    edges: dict[tuple[str, str], str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def width(self, name: str) -> float:
        """Of a node's box, in px; an edge that passes a layer has a narrow place there."""
        longest = max(map(len, self.labels.get(name, [])), default=0)
        return LETTER * longest + 2 * PAD

    def height(self, name: str) -> float:
        """Of a node's box, in px."""
        return LINE * len(self.labels.get(name, [])) + PAD


def drawn(lines: list[str]) -> str:
    """The HTML of a drawing, given as the lines of its fence."""
    chart = read(lines)
    return pile(chart) if chart.groups else flow(chart)


def read(lines: list[str]) -> Chart:
    """Read a drawing.

    Raises
    ------
    ValueError
        for a line that is in neither of the two forms.
    """
    chart, group = Chart(), ""
    if not lines or not re.fullmatch(r"flowchart (TB|LR)", lines[0].strip()):
        raise ValueError("a drawing begins with `flowchart TB` or `flowchart LR`")
    for line in filter(None, (line.strip() for line in lines[1:])):
        if opened := re.fullmatch(r'subgraph (\w+)\[" "\]', line):
            group = opened[1]
            chart.groups[group] = []
        elif line == "end":
            group = ""
        elif line.startswith("direction ") and group:
            continue
        else:
            for statement in line.split(";"):
                named = _statement(chart, statement.strip())
                if group:
                    chart.groups[group] += named
    return chart


def _statement(chart: Chart, text: str) -> list[str]:
    """Take in ``a["text"] -->|label| b --> c``; give the names of its nodes."""
    named: list[str] = []
    at, label = 0, ""
    while True:
        node = NODE.match(text, at)
        if not node:
            raise ValueError(f"not a form of Mermaid that the site draws: {text}")
        name, said = node.groups()
        if said is not None or (name not in chart.labels and name not in chart.groups):
            chart.labels[name] = re.split(r"<br */?>", said if said is not None else name)
        if named:
            chart.edges[named[-1], name] = label
        named.append(name)
        if node.end() == len(text):
            return named
        edge = EDGE.match(text, node.end())
        if not edge:
            raise ValueError(f"not a form of Mermaid that the site draws: {text}")
        at, label = edge.end(), edge[1] or ""


def pile(chart: Chart) -> str:
    """Subgraphs as boxes over each other; each leads to the next, or it is no pile."""
    if list(chart.edges) != list(pairwise(chart.groups)):
        raise ValueError("subgraphs are drawn only where each leads to the next")
    rows = []
    for names in chart.groups.values():
        inside = "".join(f"<span>{escape(' '.join(chart.labels[name]))}</span>" for name in names)
        rows.append(f"<li>{inside}</li>")
    return f'<ol class="drawn-pile">{"".join(rows)}</ol>'


def flow(chart: Chart) -> str:
    """Nodes in layers from the top down: each stands below all that lead to it."""
    layers, ways = _layers(chart)
    across = max(sum(map(chart.width, layer)) + BESIDE * (len(layer) - 1) for layer in layers)
    spots: dict[str, tuple[float, float, float]] = {}  # the middle, the top and the bottom
    top = 1.0
    for layer in layers:
        tall = max(map(chart.height, layer))
        free = (across - sum(map(chart.width, layer))) / (len(layer) + 1)
        x = free
        for name in layer:
            half = chart.width(name) / 2
            slack = (tall - chart.height(name)) / 2
            spots[name] = (x + half, top + slack, top + tall - slack)
            x += 2 * half + free
        top += tall + BELOW
    down = top - BELOW + 1
    edges = [_edge([spots[name] for name in way], chart.edges[ends]) for ends, way in ways.items()]
    boxes = [_box(chart, name, *spots[name]) for name in chart.labels]
    return (
        f'<svg class="drawn-flow" viewBox="-1 0 {across + 2:.0f} {down:.0f}" '
        f'width="{across + 2:.0f}" height="{down:.0f}" role="img" '
        f'aria-label="{escape(_spoken(chart))}">{TIP}{"".join(edges)}{"".join(boxes)}</svg>'
    )


def _layers(chart: Chart) -> tuple[list[list[str]], dict[tuple[str, str], list[str]]]:
    """The layers, each in the order of its places, and the way of each edge through them.

    An edge over several layers has a place of its own in those between, so it crosses no box.
    Each place then goes where its neighbours are in the mean, which leaves few crossings.
    """
    rank = _ranks(chart)
    layers: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
    for name, at in rank.items():
        layers[at].append(name)
    ways = {}
    near: dict[str, list[str]] = {name: [] for name in rank}
    for one, other in chart.edges:
        between = [f"{one} {other} {at}" for at in range(rank[one] + 1, rank[other])]
        for at, name in enumerate(between, rank[one] + 1):
            layers[at].append(name)
            near[name] = []
        ways[one, other] = [one, *between, other]
        for before, after in pairwise(ways[one, other]):
            near[before].append(after)
            near[after].append(before)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else reversed(layers):
            place = {
                name: (at + 1) / (len(each) + 1) for each in layers for at, name in enumerate(each)
            }
            mean = {
                name: sum(place[other] for other in near[name] or [name])
                / len(near[name] or [name])
                for name in layer
            }
            layer.sort(key=mean.__getitem__)
    return layers, ways


def _ranks(chart: Chart) -> dict[str, int]:
    """How many edges the longest way to each node has."""
    rank = dict.fromkeys(chart.labels, 0)
    for _ in chart.labels:
        for one, other in chart.edges:
            rank[other] = max(rank[other], rank[one] + 1)
    if max(rank.values()) >= len(rank):
        raise ValueError("a flowchart that comes back to where it was is not drawn")
    return rank


def _edge(spots: list[tuple[float, float, float]], label: str) -> str:
    """A line from the bottom of the first spot to the top of the last, through those between."""
    x, _, y = spots[0]
    way = f"M{x:.0f} {y:.0f}"
    for to, top, bottom in spots[1:]:
        half = (y + top) / 2
        way += f"C{x:.0f} {half:.0f} {to:.0f} {half:.0f} {to:.0f} {top:.0f}"
        way += "" if bottom == spots[-1][2] else f"V{bottom:.0f}"
        x, y = to, bottom
    said = ""
    if label:
        # On the line, nearer to where it leads, so that labels of a fork keep apart.
        (one, _, upper), (other, lower, _) = spots[:2]
        at, down = one + 0.65 * (other - one), upper + 0.58 * (lower - upper) + 4
        said = f'<text class="drawn-label" x="{at:.0f}" y="{down:.0f}">{escape(label)}</text>'
    return f'<path class="drawn-edge" d="{way}" marker-end="url(#drawn-tip)"/>{said}'


def _box(chart: Chart, name: str, x: float, top: float, bottom: float) -> str:
    width, text = chart.width(name), chart.labels[name]
    first = (top + bottom) / 2 - LINE * (len(text) - 1) / 2 + 5
    lines = "".join(
        f'<text x="{x:.0f}" y="{first + LINE * at:.0f}">{escape(line)}</text>'
        for at, line in enumerate(text)
    )
    return (
        f'<rect x="{x - width / 2:.0f}" y="{top:.0f}" width="{width:.0f}" '
        f'height="{bottom - top:.0f}" rx="4"/>{lines}'
    )


def _spoken(chart: Chart) -> str:
    """The drawing in words, for those who hear it."""
    name = {each: " ".join(text) for each, text in chart.labels.items()}
    return "; ".join(
        f"{name[one]} to {name[other]}" + (f" by {label}" if label else "")
        for (one, other), label in chart.edges.items()
    )
