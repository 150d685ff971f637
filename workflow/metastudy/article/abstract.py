"""The abstract of an article that grows with what there is."""

from __future__ import annotations

from collections.abc import Iterator

from metastudy.article.results import Results
from metastudy.article.topics import people, published
from metastudy.article.variable_tree import Tree
from metastudy.display.formatting import count, inline, joined

__all__ = ["summary"]

# Which verdicts are whose, where both stages have some.
FIRST = "The first stage is a hierarchical model of the data of people."
SECOND = "The second stage pools the estimates of studies."
FEW = 3  # effects of a module of which the decided are given with numbers; of more, by verdict


def summary(evidence: Results, tree: Tree) -> str:
    """An abstract from what there is: the evidence, what it pools to, and how far that goes.

    Where the configuration names primary contrasts for it, these are what it gives.

    Parameters
    ----------
    tree : all variables.
    """
    found, parts = published.findings(evidence), []
    if evidence.studies:
        parts.append(_people(evidence))
    if len(found):
        n = found["citation"].nunique()
        many = "finding" if len(found) == 1 else "findings"
        of = "publication" if n == 1 else "publications"
        parts.append(f"{len(found)} {many} of {count(n)} {of}")
    said = [f"We bring together {joined(parts)}."] if parts else []
    said.append(str(tree.get("provenance", {}).get("sentence", "")))
    if led := tree.get("primary", {}).get("abstract"):
        return " ".join(part for part in [*said, str(led), *_trust(evidence, tree)] if part)
    modules = [
        text for m in evidence.contrasts if (text := _module(tree.get(m, {}), _few(evidence, m)))
    ]
    both = bool(modules) and len(evidence.synthesis.get("pooled", ())) > 0
    said += [FIRST, *modules, SECOND] if both else modules
    effects = tree.get("synthesis", {}).get("effects", {})
    said.append(str(tree.get("synthesis", {}).get("sentence", "")))
    pooled = list(_summaries(evidence, effects))
    # What is undecided has its numbers where all pooled effects have theirs.
    if any(not any(map(str.isdigit, text)) for text in pooled):
        said.append(str(tree.get("figures", {}).get("synthesis", {}).get("answer", "")))
    said += pooled
    return " ".join(part for part in [*said, *_trust(evidence, tree)] if part)


def _summaries(evidence: Results, effects: Tree) -> Iterator[str]:
    """What is said of each pooled effect; where an exposure has several roles, of each of these."""
    for leaves in effects.values():
        if isinstance(leaves, dict) and "summary" in leaves:
            yield str(leaves["summary"])
        elif isinstance(leaves, dict):
            of = leaves.get("of", {})
            for role, said in of.items():
                whose = f"{evidence.labels.of(str(role), 'roles')}: " if len(of) > 1 else ""
                yield f"{whose}{said['summary']}"


def _people(evidence: Results) -> str:
    """The people of the models, or all that were kept where there is no model yet, each once."""
    if evidence.cells:
        inside = {name for cells in evidence.cells.values() for name in cells.rows}
        studies = [study for study in evidence.studies if study.id in inside]
        rows, number = people.modelled_text(evidence), people.modelled(evidence)[0]
    else:
        studies = list(evidence.studies)
        _, number, _ = people.from_the_files(evidence)
        rows = str(number)
    n, called = len(studies), people.called(evidence, number, studies)
    return f"{rows} {called} of {count(n)} {'study' if n == 1 else 'studies'}"


def _trust(evidence: Results, tree: Tree) -> Iterator[str]:
    """How far to trust it: what is known to come out right, what moves most, what priors decide.

    Where the truth is known, as of simulated data, that is said and nothing else.
    """
    if found := tree.get("recovery", {}).get("abstract"):
        yield str(found)
        return
    yield str(tree.get("figures", {}).get("refits", {}).get("answer", ""))
    if len(evidence.synthesis.get("influence", ())):
        yield str(tree["influence"]["sentence"])
    if len(evidence.synthesis.get("pooled", ())):
        yield str(tree.get("heterogeneity", {}).get("pooled", {}).get("sentence", ""))
        yield str(tree.get("left_out", {}).get("sentence", ""))
    elif evidence.contrasts or len(evidence.synthesis.get("estimates", ())):
        yield "Each effect rests on one study, so how far studies differ is unknown."
    if evidence.published and not len(evidence.appraisal):
        yield "The risk of bias of the publications was not assessed."


def _few(evidence: Results, module: str) -> bool:
    """Whether a module has so few effects, each of an outcome and a role, in whatever unit."""
    of = evidence.population(module)[["exposure", "exposure_type", "outcome", "role"]]
    return len(of.drop_duplicates()) <= FEW


def _module(tree: Tree, few: bool) -> str:
    """What was decided about each exposure of a module, and of which nothing was.

    Parameters
    ----------
    few : whether its effects are so few that those that are decided are given with their numbers.
    """
    own = [v for v in tree.values() if isinstance(v, dict) and "comparison" in v]
    decided = [v for v in own if not v["comparison"].startswith("None ")]
    open_ = [v["inline"] for v in own if v not in decided]
    if few:
        said = [v["summary"] for v in decided]
    else:
        said = [f"{v['label']}: {inline(v['comparison'])}" for v in decided]
    if open_:
        said.append(f"Of {joined(open_)} no effect has a decided sign.")
    return " ".join(said)
