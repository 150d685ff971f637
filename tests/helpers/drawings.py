"""Marks of a figure by their names, as tests ask for them."""

from __future__ import annotations

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

__all__ = ["artists", "ends"]


def artists(figure: Figure) -> dict[str, Artist]:
    """All that has a name (``gid``) in a figure."""
    found = {a.get_gid(): a for a in figure.findobj() if a.get_gid()}
    return {str(name): artist for name, artist in found.items()}


def ends(artist: Artist) -> list[float]:
    """Where the points of a line are on the horizontal axis."""
    assert isinstance(artist, Line2D)
    return [float(x) for x in artist.get_xdata()]  # type: ignore[union-attr]
