"""One meaning per colour: orange is the mark of simulated data in every drawing."""

from __future__ import annotations

import colorsys
import re

from helpers.repository import ROOT
from metastudy.display.plots.style import EXCLUDED, HUES, WARNING

LIBRARY = ROOT / "workflow" / "metastudy"
DRAWINGS = (
    *sorted((LIBRARY / "display" / "plots").glob("*.py")),
    *sorted((LIBRARY / "data_report").glob("*.py")),
    *sorted((LIBRARY / "calibration_report").glob("*.py")),
)


def is_orange(colour: str) -> bool:
    """A bright colour between red and yellow (hue of 10 to 50 degrees)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    return 10 < 360 * hue < 50 and saturation > 0.5 and value > 0.6


def test_orange_is_seen() -> None:
    assert is_orange(WARNING)
    assert is_orange("#E69F00")
    assert not is_orange(EXCLUDED)


def test_only_the_mark_of_simulated_data_is_orange() -> None:
    found = [
        (file.name, line.strip())
        for file in DRAWINGS
        for line in file.read_text("utf-8").splitlines()
        for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", line)
        if is_orange(colour)
    ]
    assert [line.split(" =")[0] for _, line in found] == ["WARNING"]
    assert WARNING not in HUES.values()
