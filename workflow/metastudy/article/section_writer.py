"""What writes the sections of an article that grows: text, figures and tables that are there."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from metastudy.article import catalogue, make
from metastudy.article.results import Results
from metastudy.article.section_captions import CAPTIONS, FIGURES, as_drawn
from metastudy.article.topics.synthesis import subject
from metastudy.article.variable_tree import Tree, matching
from metastudy.display.pipe_table import markdown
from metastudy.display.plain_markdown import escaped

__all__ = ["Writer"]

__resources__ = ("texts/*.md",)
TEXTS = Path(__file__).parent / "texts"
OF_MODULES = ("contrasts", "heterogeneity", "cells")  # what the second stage does without
EACH, NOTE = "Study estimates", "Remark"  # columns of the synthesis
WIDEST = 60  # letters that a cell of them may have
MOST_ROWS = 120  # of a table on a page; the file of a longer one has all
# A citation in Markdown that this library wrote; labels have their @ escaped.
_CITED = re.compile(r"(?<![\w\\])@(?!(?:fig|tbl|sec|eq)-)(\w(?:[\w:.+/-]*\w)?)")


@dataclass
class Writer:
    """Pieces of Markdown from figures, tables and variables, as far as these are there."""

    evidence: Results
    known: Collection[str]
    unknown: dict[str, None] = field(default_factory=dict)

    @cached_property
    def tree(self) -> Tree:
        """All variables."""
        return make.variables(self.evidence, {})

    def has(self, needs: Collection[str]) -> bool:
        """Whether there are results of each kind; those of modules only where there are modules."""
        people = (*self.evidence.studies, *self.evidence.published)
        asked = [n for n in needs if self.evidence.contrasts or n not in OF_MODULES]
        named = ("studies", "names", "own_names")
        return all(len(people if n in named else getattr(self.evidence, n)) for n in asked)

    def say(self, *paths: str) -> str:
        """The variables that are there, one after the other."""
        return " ".join(f"{{{{< var {path} >}}}}" for path in paths if self.value(path))

    def value(self, path: str) -> Any:
        """The variable or the branch of them at a dotted path; nothing where there is none."""
        found: Any = self.tree
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def table(self, name: str) -> tuple[str, str]:
        """A reference to a table, and the table; two empty texts where it has no rows."""
        items = catalogue.tables({m: self.evidence.model(m) for m in self.evidence.contrasts})
        if name not in items or not self.has(items[name].needs):
            return "", ""
        found = make.table(self.evidence, name)
        if not 0 < len(found.shown) <= MOST_ROWS:
            return "", ""
        empty = [c for c in found.shown if set(found.shown[c]) <= {"–", ""}]
        # What the forest plot shows, one below the other, would be one wide cell.
        said = CAPTIONS.get(name, found.caption)
        if name == "synthesis" and found.shown[EACH].str.len().max() > WIDEST:
            empty.append(EACH)
            said = said.replace(subject(self.evidence), subject(self.evidence, each=False))
        if name == "synthesis" and NOTE in found.shown and NOTE not in empty:
            notes = dict.fromkeys(note for note in found.shown[NOTE] if note not in ("–", ""))
            if max(map(len, notes)) > WIDEST:  # a column of few words a line
                said, empty = f"{said} Remark: {'; '.join(notes)}.", [*empty, NOTE]
        found = replace(found, shown=found.shown.drop(columns=empty), caption=said)
        return f"@tbl-{name.replace('_', '-')}", self.cited(markdown(name, found))

    def figure(self, name: str, label: str = "") -> tuple[str, str]:
        """A reference to a figure, and the figure; two empty texts where it has nothing to show."""
        items = catalogue.figures({m: self.evidence.model(m) for m in self.evidence.contrasts})
        if name not in items or not self.has(items[name].needs):
            return "", ""
        table, _ = make.figure(self.evidence, name)
        if not len(table):
            return "", ""
        about = FIGURES[name if name in FIGURES else name.partition("_")[0]]
        key, module = f"fig-{name.replace('_', '-')}", name.partition("_")[2]
        answer, mark = self.answer(about.answers, module), self.say("provenance.caption")
        read = self.answer(about.read, module) or answer
        said, seen = (
            " ".join(part.replace("{label}", of) for part in parts if part)
            for parts, of in (
                ((about.question, answer, as_drawn(about.marks, table), mark), escaped(label)),
                ((about.picture, read, mark), label.replace('"', "")),
            )
        )
        return f"@{key}", f'![{said}](figures/{name}){{#{key} fig-alt="{seen}" width=100%}}\n'

    def answer(self, paths: Collection[str], module: str = "") -> str:
        """The variables of these paths that are there; a ``*`` in a path is any key."""
        asked = [path.replace("{module}", module) for path in paths]
        known = dict.fromkeys(p for path in asked for p in matching(self.tree, path))
        return self.say(*known)

    def cited(self, text: str) -> str:
        """Citations that the bibliography has; the others as their keys, which are remembered."""

        def shown(found: re.Match[str]) -> str:
            if found[1] in self.known:
                return found[0]
            self.unknown[found[1]] = None
            return escaped(found[1])

        return _CITED.sub(shown, text)

    def text(self, name: str) -> str:
        """One of the texts of this package, with its citations."""
        return self.cited((TEXTS / f"{name}.md").read_text("utf-8"))

    def block(self, sentence: str, *names: str, label: str = "") -> str:
        """A paragraph that refers to the figures and tables that are there, and these below it.

        Parameters
        ----------
        sentence : what is said; with names it is in no article that has nothing under them.
        names : ``fig:`` or ``tbl:`` before the name.
        label : of the module that figures are about.
        """
        made = [
            self.figure(name, label) if kind == "fig" else self.table(name)
            for kind, _, name in (n.partition(":") for n in names)
        ]
        made = [one for one in made if one[0]]
        if not sentence or (names and not made):
            return ""
        seen = f" ({', '.join(ref for ref, _ in made)}.)" if made else ""
        return "\n\n".join([sentence + seen, *(text for _, text in made)])

    def found(self, variable: str, *names: str) -> str:
        """As :meth:`block` with a variable; the sentence alone, of what was not done and why."""
        said = self.say(variable)
        return self.block(said, *names) or said
