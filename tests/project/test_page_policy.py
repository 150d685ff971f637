"""Every page that is made says what it may load and run: nothing from elsewhere, no foreign script.

Pages come from templates alone. The article's gets its policy when it is finished, as that names
its script by its digest.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.display.page import Page, Section, Text, render
from metastudy.manuscript.web_page import finished

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"')
ARTICLE = "template.html"  # the article's, filled in by pandoc
LIBRARY = ROOT / "workflow"
TEMPLATES = [p for p in sorted(LIBRARY.rglob("*.html")) if "<head>" in p.read_text("utf-8")]
NONE = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


def rules(page: str) -> dict[str, str]:
    """The policy of a page by its directives; it comes before all that it is about."""
    head = page[: page.index("</head>")]
    found = POLICY.search(head)
    assert found, "a page without a policy"
    before = head[: found.start()]
    assert not re.search(r"<(style|script|link|base)\b", before)
    return dict(re.split(r"\s+", one.strip(), maxsplit=1) for one in found[1].split(";"))


def test_there_are_templates_and_nothing_else_makes_a_page() -> None:
    assert len(TEMPLATES) >= 3
    # the bytes by which a file of somebody else is known to be a page are none of ours
    written = [p for p in LIBRARY.rglob("*.py") if re.search(r'(?<!b")<html', p.read_text("utf-8"))]
    assert written == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_each_template_has_a_policy_that_lets_nothing_in(template: Path) -> None:
    page = template.read_text("utf-8")
    if template.name == ARTICLE:
        page = finished(page, ROOT / "no such folder")
    found = rules(page)
    assert found.items() >= NONE.items()
    assert not re.search(r"https?:|\*", " ".join(found.values()))
    assert "unsafe" not in found.get("script-src", "")


def test_a_rendered_page_has_the_policy_and_no_script() -> None:
    page = Page("x", "T", "S", "", "", [Section("A", [Text("<script>alert(1)</script>")])])
    made = render(page)["html"]
    assert rules(made).items() >= NONE.items()
    assert "script-src" not in rules(made)
    assert "<script" not in made
