"""How Sphinx makes the site of the documentation: `make docs`.

The source is the repository itself, so a link in a page leads to the same file on GitHub and here.
Pages are plain Markdown without a word for this tool: the menu is made from docs/README.md, and
drawings in Mermaid are drawn here, for Mermaid's own program would come from another host.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))

from docs_site import mermaid  # noqa: E402 # the folder is on the path from here on

DOCUMENTATION = "docs/README"
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/README.md"))
REPOSITORY = {  # pages, and what the menu calls those whose headings are too long for it
    "config/README": "",
    "data/README": "",
    "results/README": "",
    "workflow/metastudy/manuscript/README": "",
    **{f"examples/{name}/README": f"Example: {name}" for name in EXAMPLES},
    "benchmarks/README": "",
    "CONTRIBUTING": "",
    "CHANGELOG": "",
}


def documentation() -> dict[str, str]:
    """The pages of docs, in the order of docs/README.md, which comes first."""
    text = (ROOT / f"{DOCUMENTATION}.md").read_text("utf-8")
    named = re.findall(r"\]\((\w+)\.md\)", text)
    return {DOCUMENTATION: "Which page for whom"} | {f"docs/{name}": "" for name in named}


project = "Co-production meta-study"
html_title = project
root_doc = "README"
pages = [root_doc, *documentation(), *REPOSITORY]
include_patterns = [*(f"{page}.md" for page in pages), "docs/*.md"]  # a page in no menu is told
# Folders that may be large are not even walked through; no page is in them but one.
exclude_patterns = [
    *(".?*", "**/.?*", "**/node_modules"),
    *("site", "parcels", "results/[!R]*", "examples/*/results"),
]

extensions = ["myst_parser"]
myst_heading_anchors = 6  # those of GitHub
myst_fence_as_directive = {"mermaid"}
# Pages are written for GitHub, which has none of these.
myst_disable_syntax = ["myst_block_break", "myst_line_comment", "myst_role", "myst_target"]
smartquotes = False
nitpicky = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_permalinks_icon = "#"
pygments_style = "github-light"
pygments_dark_style = "github-dark"

FIRST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={page}"></head>
<body><a href="{page}">{title}</a></body></html>
"""


class Drawing(Directive):
    """A fence of Mermaid, as HTML that takes the colours of the page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw it; what the drawing does not know is an error of the build."""
        try:
            drawn = mermaid.drawn(list(self.content))
        except ValueError as problem:
            raise self.error(str(problem)) from problem
        return [nodes.raw("", drawn, format="html")]


def menu(app: Sphinx, page: str, source: list[str]) -> None:
    """Give the first page the menu of all: pages themselves have none."""
    if page == root_doc:
        for caption, listed in (
            ("Documentation", documentation()),
            ("In the repository", REPOSITORY),
        ):
            entries = "\n".join(
                f"{title} </{each}>" if title else f"/{each}" for each, title in listed.items()
            )
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def first_page(app: Sphinx, problem: Exception | None) -> None:
    """Lead from index.html, where people look, to the page that is first."""
    if problem is None:
        text = FIRST.format(title=project, page=f"{root_doc}.html")
        (Path(app.outdir) / "index.html").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Take part in the build."""
    app.add_directive("mermaid", Drawing)
    app.connect("source-read", menu)
    app.connect("build-finished", first_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
