"""Pipe tables: each column has the room that its words need."""

from __future__ import annotations

import json
import re

import pandas as pd

from metastudy.display.pipe_table import Table, markdown


def test_a_column_of_a_few_values_has_room_for_them() -> None:
    wide = "what an interview is about"
    shown = pd.DataFrame({name: [wide] * 8 for name in ("One", "Two", "Three", "Four")})
    shown["Rare"] = ["–"] * 7 + ["45% (39% to 49%)"]
    text = markdown("places", Table(shown, shown, "A caption.", ()))
    asked = json.loads(re.search(r'tbl-colwidths="(\[.+?\])"', text)[1])
    assert asked[-1] > len("45% (39% to 49%)")
    assert set(asked[:-1]) == {22}, "what wraps shares the rest of the page"


def test_no_column_of_a_crowded_table_is_narrower_than_its_longest_word() -> None:
    shown = pd.DataFrame(
        {
            "Study": ["Replication 1"] * 4,
            "Country": ["Flanders, Finland, Wales, Netherlands and Sweden"] * 4,
            "Sector": ["Neighbourhood, elderly care, preschool and social care"] * 4,
            "Exposures": ["Organisational"] * 4,
            "Read": ["1440"] * 4,
            "Role": ["Citizen co-producer and professional"] * 4,
        }
    )
    text = markdown("crowded", Table(shown, shown, "A caption.", ()))
    found = re.search(r'tbl-colwidths="(\[.*\])"', text)
    assert found is not None
    widths = json.loads(found[1])
    words = [max(map(len, f"{name} {shown[name][0]}".split())) for name in shown]
    on_the_page = [width * min(1, 118 / sum(widths)) for width in widths]
    assert all(width > word for width, word in zip(on_the_page, words, strict=True))
    assert widths[1] > widths[0] > widths[4], "who has more to say has more room"


def test_words_after_a_number_take_no_room_from_the_names_of_rows() -> None:
    name = "a contrast with a name that is rather long, and longer than the line"
    more = [f"remark {k} that is not short" for k in range(4)]
    widths = []
    for cell in ("0.24 (0.11 to 0.38)", "0.24 (0.11 to 0.38): clear, higher, and more"):
        row = {"Contrast": name, **dict(zip("abcd", more, strict=True)), "Not shrunk": cell}
        shown = pd.DataFrame([row])
        text = markdown("x", Table(shown, shown, "Caption.", ()))
        widths.append(json.loads(re.search(r'tbl-colwidths="(\[.+?\])"', text)[1]))
    assert widths[0] == widths[1]
