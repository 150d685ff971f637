"""The web page: one small file that asks for nothing, and that eyes, fingers and keys can read."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from helpers.browser import Page, chromium, open_browser
from helpers.repository import ROOT
from helpers.small_manuscript import PNG, staged
from metastudy.manuscript.render import render
from metastudy.manuscript.web_page import finished, places_of, smaller_svg

AXE = ROOT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"

ARTICLE = """---
title: A page
author: [{name: nobody in particular}]
date: 2026-02-03
abstract: A text.
provenance: Every number here is made up.
provenance-mark: Simulated data
---

## Results {#sec-results}

As @eq-long says, and @fig-dots and @fig-arms show.

$$ y = a + b x + c x^2 + d x^3 + e x^4 + f x^5 + g x^6 + h x^7 + i x^8 + j x^9 $$ {#eq-long}

$$ a_1 + a_2 + a_3 + a_4 + a_5 + a_6 + a_7 + a_8 + a_9 + a_{10} + a_{11} + a_{12} = b + c + d + e $$

![Dots.](figures/dots){#fig-dots fig-alt="Two dots."}

![Arms.](figures/arms){#fig-arms fig-alt="Two arms."}

{{< include tables/_tbl-studies.md >}}

{{< include tables/_tbl-effects.md >}}
"""
STUDIES = """| Study | Country | Sector | n |
|:--|:--|:--|--:|
| First survey | Norway | Schools, libraries and parks | 10 |
| Second survey | Chad and Niger | Parks | 9 |

: Studies. {#tbl-studies}
"""
EFFECTS = """| Outcome | Study | SD | 95% interval | Remark on what was done and how it was found |
|:--|:--|--:|--:|:--|
| **Group one** |  |  |  |  |
| Trust | First survey | 0.30 | −0.10 to 0.70 | a remark of some length that makes the table wide |
|  | Second survey | −1.20 | −2.00 to −0.40 | another remark of some length, just as wide |
| Effort | First survey | – | – | not estimated |
| **Group two** |  |  |  |  |
| Threat | Second survey | 10.00 | 9.00 to 11.00 | the last remark of some length in this table |

: Effects. {#tbl-effects}
"""
SVG = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
  width="90" height="60">
 <metadata><a>who drew it</a></metadata>
 <!-- a comment -->
 <defs><path id="dot" d="M 0 0
L 1.23456 -2.00049
z
" transform="scale(0.015625)"/></defs>
 <g id="unused"><use xlink:href="#dot" x="1.23456" y="2" style="fill: #ffffff"/></g>
 <text>50%  of "it"</text>
</svg>
"""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small manuscript."""
    folder = tmp_path_factory.mktemp("page")
    more = {
        "tables/_tbl-studies.md": STUDIES,
        "tables/_tbl-effects.md": EFFECTS,
        "figures/dots.svg": SVG,
        "figures/arms.svg": SVG,
        "figures/narrow_arms.svg": SVG.replace('width="90"', 'width="45"', 1),
    }
    source = staged(folder / "source", ARTICLE, more=more)
    for name in ("dots", "arms"):
        (source / "figures" / f"{name}.png").write_bytes(PNG)
    render(source, folder / "out", ["html"])
    return folder / "out" / "manuscript.html"


def test_a_smaller_drawing_has_the_same_marks_at_the_same_places() -> None:
    small = smaller_svg(SVG)
    assert len(small) < 0.6 * len(SVG)
    root = ET.fromstring(small)
    space = "{http://www.w3.org/2000/svg}"
    path, use = root.find(f".//{space}path"), root.find(f".//{space}use")
    assert path is not None
    assert use is not None
    assert path.get("d") == "M0 0L1.23-2z".replace("-", " -")
    assert (path.get("id"), path.get("transform")) == ("i0", "scale(0.015625)")
    assert (use.get("href"), use.get("x"), use.get("style")) == ("#i0", "1.23", "fill:#ffffff")
    assert "unused" not in small
    assert "who drew it" not in small
    assert [node.text for node in root.iter(f"{space}text")] == ['50% of "it"']


def test_a_letter_is_as_far_along_its_line_in_fewer_bytes() -> None:
    letters = "".join(
        f'<use xlink:href="#a" transform="translate({x} {y})"/>'
        for x, y in ((63.476562, 0), (-12345.67, 0), (5.0, 7.25))
    )
    link = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
    whole = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {link}><path id="a" d="M 0 0"/>{letters}</svg>'
    )
    space = "{http://www.w3.org/2000/svg}"
    one, far, moved = ET.fromstring(smaller_svg(whole)).findall(f"{space}use")
    assert one.attrib == {"href": "#i0", "x": "63.5"}
    assert far.attrib == {"href": "#i0", "x": "-12345.7"}
    assert moved.attrib == {"href": "#i0", "transform": "translate(5.0 7.25)"}


def test_the_policy_lets_one_script_run_and_nothing_be_fetched(page_file: Path) -> None:
    page = page_file.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert "default-src 'none'" in policy[1]
    assert f"script-src 'sha256-{digest}';" in policy[1]
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_places_are_read_from_the_table_that_has_them(page_file: Path) -> None:
    assert places_of(page_file.parents[1] / "source") == [
        {
            "study": "First survey",
            "countries": ["Norway"],
            "sectors": ["Schools", "Libraries", "Parks"],
        },
        {"study": "Second survey", "countries": ["Chad", "Niger"], "sectors": ["Parks"]},
    ]


def test_a_name_of_a_study_cannot_end_the_data_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    bad = "a</script><script>b()"
    (tmp_path / "tables" / "_tbl-x.md").write_text(STUDIES.replace("First survey", bad), "utf-8")
    page = finished('<meta charset="utf-8"><body></body>', tmp_path)
    assert len(re.findall("<script", page)) == 2
    data = re.search(r'id="places">(.*?)</script>', page)
    assert data
    assert json.loads(data[1])[0]["study"] == bad


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A headless Chromium."""
    if chromium() is None:
        pytest.skip("no Chromium on PATH")
    with open_browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.mark.ci
def test_axe_finds_nothing_by_day_and_night_wide_and_narrow(browser: Page, page_file: Path) -> None:
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci --prefix tests/browser")
    asked = "axe.run().then(found => found.violations.map(one => one.id))"
    for width in (1280, 390):
        for dark in (False, True):
            browser.show(page_file, width, dark)
            browser.run(AXE.read_text("utf-8") + ";0")
            assert browser.run(asked) == [], (width, dark)
    # a page that is wrong is found out: a formula that keys cannot scroll
    browser.run(
        "document.querySelectorAll('.formula').forEach(x => x.removeAttribute('tabindex'));0"
    )
    assert browser.run(asked) == ["scrollable-region-focusable"]


def test_the_version_for_narrow_screens_is_beside_its_figure_and_no_other(page_file: Path) -> None:
    page = page_file.read_text("utf-8")
    pictures = re.findall(r"<picture>(.*?)</picture>", page, re.DOTALL)
    assert len(pictures) == 1
    found = re.fullmatch(
        r'<source media="([^"]*)" srcset="data:image/svg\+xml,([^" ]*)">\s*(<img .*>)',
        pictures[0].strip(),
        re.DOTALL,
    )
    assert found, "a blank would end the address"
    assert found[1] == "screen and (max-width: 40rem)"
    assert ET.fromstring(unquote(found[2])).get("width") == "45"
    assert 'alt="Two arms."' in found[3]
    assert "data-drawing" not in page


@pytest.mark.ci
def test_a_figure_with_a_narrow_version_does_not_scroll_on_a_narrow_screen(
    browser: Page, page_file: Path
) -> None:
    shown = (
        "(id => { const box = document.querySelector(id + ' .picture'), image = box.querySelector"
        "('img'); return [image.currentSrc.includes('width=\\'45\\''),"
        " box.scrollWidth <= box.clientWidth,"
        " getComputedStyle(box.nextElementSibling, '::before').content === 'none'] })"
    )
    for width, narrow in ((1280, False), (390, True)):
        for dark in (False, True):
            browser.show(page_file, width, dark)
            assert browser.run(f"{shown}('#fig-arms')") == [narrow, True, True]
            assert browser.run(f"{shown}('#fig-dots')") == [False, not narrow, not narrow]


@pytest.mark.ci
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_asks_for_nothing_and_does_not_scroll_sideways(
    browser: Page, page_file: Path, width: int
) -> None:
    browser.show(page_file, width)
    assert browser.addresses() == [page_file.resolve().as_uri()]
    assert browser.complaints() == []
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert browser.run("document.querySelector('figure img').naturalWidth") == 90


def _column(browser: Page, column: int) -> list[str]:
    """The texts of a column of the table of effects, of the rows that are shown."""
    found: list[str] = browser.run(
        "[...document.querySelectorAll('#tbl-effects tbody tr')].filter(row => !row.hidden)"
        f".map(row => row.cells[{column}].textContent.trim())"
    )
    return found


def _click(browser: Page, head: str) -> None:
    browser.run(
        "[...document.querySelectorAll('#tbl-effects th button')]"
        f".find(button => button.textContent.trim() === '{head}').click()"
    )


@pytest.mark.ci
def test_a_table_is_sorted_by_number_within_its_groups_and_back(
    browser: Page, page_file: Path
) -> None:
    browser.show(page_file, 1280)
    before = [_column(browser, column) for column in range(5)]
    _click(browser, "SD")
    assert _column(browser, 2) == ["", "−1.20", "0.30", "–", "", "10.00"]
    # a row that stood below another carries its name along
    assert _column(browser, 0) == ["Group one", "Trust", "Trust", "Effort", "Group two", "Threat"]
    _click(browser, "SD")
    assert _column(browser, 2) == ["", "0.30", "−1.20", "–", "", "10.00"]
    _click(browser, "SD")
    assert [_column(browser, column) for column in range(5)] == before


@pytest.mark.ci
def test_estimates_are_drawn_in_a_column_that_is_sorted_and_told_with_them(
    browser: Page, page_file: Path
) -> None:
    """Two intervals around zero and one at ten, on the axis from -2 to 11: 3 to 97 per cent."""
    browser.show(page_file, 1280)
    drawn = (
        "[...document.querySelectorAll('#tbl-effects td.forest svg')].map(svg => [...svg.children]"
        ".filter(one => !one.matches('.zero')).flatMap(one => one.matches('circle')"
        " ? [one.getAttribute('cx')] : [one.getAttribute('x1'), one.getAttribute('x2')])"
        ".map(place => Math.round(10 * parseFloat(place)) / 10))"
    )
    per = 94 / 13
    place = [[round(3 + per * (v + 2), 1) for v in row] for row in _DRAWN]
    assert browser.run(drawn) == place
    head = "document.querySelector('#tbl-effects th.forest').textContent"
    assert browser.run(head) == "Plot, −2 to 11"
    said = "document.querySelector('#tbl-effects td.forest svg').getAttribute('aria-label')"
    assert browser.run(said) == "0.30 (−0.10 to 0.70)"
    assert _column(browser, 4) == ["", "", "", "–", "", ""], "what has no estimate has a dash"
    browser.run("document.querySelector('#tbl-effects th.forest button').click()")
    assert _column(browser, 2) == ["", "−1.20", "0.30", "–", "", "10.00"]
    assert browser.run(drawn) == [place[1], place[0], place[2]]
    over = "new PointerEvent('pointerover', {bubbles: true})"
    cell = "document.querySelector('#tbl-effects td.forest svg').parentNode"
    browser.run(f"{cell}.dispatchEvent({over})")
    tip = browser.run("document.querySelector('#tip').textContent")
    assert tip == "Group one, Trust, Second survey: SD −1.20 (−2.00 to −0.40)"
    none = "document.querySelectorAll('#tbl-studies .forest').length"
    assert browser.run(none) == 0, "a table without intervals has no such column"


_DRAWN = [(-0.1, 0.7, 0.3), (-2.0, -0.4, -1.2), (9.0, 11.0, 10.0)]  # ends, and the mean


@pytest.mark.ci
def test_numbers_in_several_units_have_no_axis_in_common(browser: Page, tmp_path: Path) -> None:
    rows = "| a | {} | 1.0 | 0.5 to 1.5 |\n| b | {} | 2.0 | 1.5 to 2.5 |\n"
    head = "| Contrast | Unit | Estimate | Interval |\n|:--|:--|--:|--:|\n"
    article = ARTICLE[: ARTICLE.index("As @eq-long")] + "@tbl-one @tbl-two @tbl-three\n\n"
    article += head + rows.format("SD", "SD") + "\n: One. {#tbl-one}\n\n"
    article += head + rows.format("SD", "log-odds") + "\n: Two. {#tbl-two}\n\n"
    article += (head + rows.format("x", "y")).replace("Unit", "Kind") + "\n: Three. {#tbl-three}\n"
    render(staged(tmp_path / "source", article), tmp_path / "out", ["html"])
    browser.show(tmp_path / "out" / "manuscript.html", 1280)
    for name, columns in (("one", 1), ("two", 0), ("three", 0)):
        assert browser.run(f"document.querySelectorAll('#tbl-{name} th.forest').length") == columns


@pytest.mark.ci
def test_rows_of_one_country_are_those_of_its_studies(browser: Page, page_file: Path) -> None:
    browser.show(page_file, 1280)
    choose = (
        "(() => {{ const all = document.querySelectorAll('#tbl-effects select');"
        " all[{at}].value = '{value}'; all[{at}].dispatchEvent(new Event('change')); }})()"
    )
    listed = (
        "[...document.querySelectorAll('#tbl-effects select')[0].options].map(o => o.text).join()"
    )
    assert browser.run(listed) == "all,Norway,Chad,Niger"  # as the table of studies has them
    browser.run(choose.format(at=0, value="Niger"))
    assert _column(browser, 1) == ["", "Second survey", "", "Second survey"]
    assert _column(browser, 0) == ["Group one", "Trust", "Group two", "Threat"]
    shown = "document.querySelector('#tbl-effects [role=status]').textContent"
    assert browser.run(shown) == "2 of 4 rows"
    browser.run(choose.format(at=1, value="Libraries"))
    assert _column(browser, 1) == []
    for at in (0, 1):
        browser.run(choose.format(at=at, value=""))
    assert len(_column(browser, 1)) == 6
    assert browser.run(shown) == ""


@pytest.mark.ci
def test_keys_reach_a_cell_and_it_says_what_it_means(browser: Page, page_file: Path) -> None:
    browser.show(page_file, 390)
    browser.run("document.querySelector('#tbl-effects td[tabindex]').focus()")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        browser.press(key)
    assert browser.run("document.querySelector('#tip').hidden") is False
    said = browser.run("document.querySelector('#tip').textContent")
    assert said == "Group one, Trust, Second survey: SD −1.20"
    assert browser.run("document.activeElement.getAttribute('aria-describedby')") == "tip"


@pytest.mark.ci
def test_the_page_is_complete_without_scripts(browser: Page, page_file: Path) -> None:
    browser.show(page_file, 390)
    words = "document.querySelector('main').innerText.replace(/\\s+/g, ' ')"
    browser.run("document.querySelectorAll('.filters, .forest').forEach(more => more.remove())")
    with_scripts = browser.run(words)
    browser.show(page_file, 390, scripts=False)
    browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.querySelectorAll('button, select').length") == 0
    assert browser.run(words) == with_scripts
    assert "−2.00 to −0.40" in with_scripts
