"""The sections of an article that grows with what there is: each is one part of it.

The skeleton of a project's own article includes them. They are made from the figures, tables and
variables of any other article: what the data do not have is in no sentence and under no heading.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from metastudy.article import catalogue, make
from metastudy.article.results import Results
from metastudy.article.section_writer import Writer
from metastudy.article.topics import entered, published
from metastudy.display.formatting import count, joined
from metastudy.display.plain_markdown import escaped
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["sections"]

# What readers look for beside pooled effects: its figures and tables, or why it was not done.
LOOKED_FOR = {
    "moderators": ("fig", "tbl"),
    **dict.fromkeys(("dependence", "influence", "prior_scales"), ("tbl",)),
}
# What a module says beside what it says of each exposure.
NO_EXPOSURES = ("level", "cells", "top", "accuracy", "sites", "apart", "assumed", "pairs")
MOST_ENTERED = 20  # effects in a table of the article; the file of more has all


def _under(heading: str, *blocks: str) -> str:
    """A heading over what is below it; nothing where nothing is."""
    below = [block.strip() for block in blocks if block.strip()]
    return "\n\n".join([heading, *below]) + "\n" if below else ""


def sections(evidence: Results, known: Collection[str] = ()) -> dict[str, str]:
    """The sections in Markdown, by name.

    Parameters
    ----------
    evidence : the results of all phases.
    known : keys of the bibliography. A citation of another key is shown as the key, and the last
        section lists them.

    Returns
    -------
    ``data``, ``models``, ``results``, ``synthesis``, ``checks`` and ``limitations``: each with its
    heading, or empty.
    """
    write = Writer(evidence, known)
    return {
        "data": _data(write),
        "models": _models(write),
        "results": _results(write),
        "synthesis": _synthesis(write),
        "checks": _checks(write),
        "limitations": _limitations(write),
    }


def _data(write: Writer) -> str:
    people = write.evidence.studies
    rows = ""
    if people:
        rows = (
            "Of {{< var studies.read >}} rows read, {{< var studies.excluded >}} were excluded by "
            "the rules of the studies' codebooks"
        )
        rows += " and {{< var studies.n_model_words >}} entered a model." * bool(
            write.evidence.cells
        )
        rows += "." * (not write.evidence.cells)
    found = published.findings(write.evidence)
    said = ""
    if len(found):
        n = found["citation"].nunique()
        findings = _several("published finding", len(found), "comes")
        said = (
            f"{count(len(found), capital=True)} {findings} from {count(n)} "
            f"{_several('publication', n)}. {{{{< var published.with_error_sentence >}}}}"
        )
    return _under(
        "## Data {#sec-data}",
        write.say("provenance.sentence"),
        write.block(_inventory(write.evidence), "tbl:studies", "fig:study_grid") if people else "",
        write.block(rows, "tbl:exclusions", "fig:participant_flow") if people else "",
        write.cited(make.part(write.evidence, "parcels")) if people else "",
        write.block(said, "tbl:findings") or said,
        _entered(write),
    )


def _entered(write: Writer) -> str:
    """The effects that are entered, in a table or, where they are many, in its file."""
    n, said = len(entered.entered(write.evidence)), write.say("entered.sentence")
    if 0 < n <= MOST_ENTERED:
        return write.block(said, "tbl:entered")
    return f"{said} Each is in `results/tables/entered.csv`." if n else ""


def _several(word: str, n: int, verb: str = "") -> str:
    """A word as its number asks, and the verb after it."""
    if n == 1:
        return f"{word} {verb}".strip()
    return f"{word}s {verb.removesuffix('s')}".strip()


def _inventory(evidence: Results) -> str:
    n = len(evidence.studies)
    return f"{count(n, capital=True)} {'study has' if n == 1 else 'studies have'} data of people."


def _models(write: Writer) -> str:
    evidence = write.evidence
    kinds = {evidence.model(m) for m in evidence.contrasts}
    joint = any(evidence.cells[m].joint for m in evidence.contrasts if m in evidence.cells)
    # Where nothing is pooled, the second stage is no model, and nothing may have been sampled.
    second = len(evidence.synthesis.get("pooled", ())) > 0
    wanted = {
        "answers": "answers" in kinds,
        "codings": "codings" in kinds,
        "events": "events" in kinds,
        "events_joint": "events" in kinds and joint,
        "synthesis": second,
        "moderators": second and len(evidence.vocabulary["moderators"]) > 0,
        "verdicts": second or len(kinds) > 0,
    }
    texts = [write.text(name) for name, there in wanted.items() if there]
    return _under("## Models {#sec-models}", *texts)


def _results(write: Writer) -> str:
    modules = [_module(write, module) for module in write.evidence.contrasts]
    return _under("## Results {#sec-results}", *modules)


def _module(write: Writer, module: str) -> str:
    """What one module found: a paragraph for each exposure, then all of it."""
    label = write.evidence.vocabulary.label("modules", module)
    tree = write.value(module) or {}
    exposures = [key for key, value in tree.items() if isinstance(value, dict)]
    said = [
        write.say(
            f"{module}.{key}.summary",
            f"{module}.{key}.points.sentence",
            f"{module}.{key}.differences.outcomes",
            f"{module}.pairs.of.{key}.sentence",
            f"{module}.{key}.moderators.sentence",
        )
        for key in exposures
        if f"{key}" not in NO_EXPOSURES
    ]
    names = ("effects", "differences", "pairs", "levels", "prevalence", "places", "shares")
    # Of codes the forest says the same once more.
    lead = "contrasts" if write.figure(f"contrasts_{module}", label)[0] else "module"
    return _under(
        f"### {escaped(label)} {{#sec-{module.replace('_', '-')}}}",
        f"*{escaped(write.evidence.vocabulary['modules'][module]['question'])}*",
        *said,
        write.say(*(f"{module}.{key}.sentence" for key in ("sites", "apart", "assumed"))),
        write.say(f"heterogeneity.{module}.sentence", f"{module}.accuracy.sentence"),
        write.block(
            "Figures and tables have each effect and level with its interval.",
            *(f"fig:{name}_{module}" for name in ("arms", "tiles", lead, "moderated", "places")),
            *(f"tbl:{n}_{module}" for n in names),
            label=label,
        ),
    )


def _synthesis(write: Writer) -> str:
    """What the studies say together: pooled effects, spreads, predictions, and what is refused."""
    effects = (write.value("synthesis.effects") or {}).items()
    said = [write.say(f"synthesis.effects.{key}.summary") for key, _ in effects]
    return _under(
        "## Synthesis {#sec-synthesis}",
        write.block("What can be pooled follows from the design.", "tbl:pooling"),
        write.block(write.say("synthesis.sentence"), "fig:synthesis", "tbl:synthesis"),
        *said,
        write.block(write.say("caterpillar.sentence"), "fig:caterpillar"),
        write.found("left_out.sentence", "fig:left_out"),
        write.block(
            "Each standard deviation between groups is beside its prior. " + _spreads(write),
            *("fig:heterogeneity", "tbl:heterogeneity"),
        ),
        write.block(
            "Which groupings enter a model, and why others do not, follows from the design.",
            *("fig:aliases", "tbl:aliases"),
        ),
        *(
            write.found(f"{name}.sentence", *(f"{kind}:{name}" for kind in kinds))
            for name, kinds in LOOKED_FOR.items()
            if len(write.evidence.synthesis.get("pooled", ()))
        ),
        *_directions(write),
        write.block(write.say("unlock.sentence"), "fig:unlock", "tbl:unlock"),
        write.cited(make.part(write.evidence, "selection"))
        if write.has(catalogue.PARTS["selection"].needs)
        else "",
    )


def _spreads(write: Writer) -> str:
    """Whether the data or the priors decide the standard deviations between studies."""
    return write.say("heterogeneity.pooled.sentence")


def _directions(write: Writer) -> Iterator[str]:
    if len(published.findings(write.evidence)):
        yield write.block(write.say("record.sentence"), "fig:record")
        yield write.block("The contrasts here have signs by their verdicts.", "fig:directions")
        yield write.block(write.say("published.sign_test_sentence"), "tbl:outcomes")
        if published.by_outcome(write.evidence.appraisal)["outcome"].any():
            yield write.block("The certainty of findings was rated by outcome.", "tbl:certainty")
        yield write.block("What was not significant bounds an effect.", "tbl:bounds")


def _checks(write: Writer) -> str:
    labels = {m: write.evidence.vocabulary.label("modules", m) for m in write.evidence.contrasts}
    answers = any(write.evidence.model(m) == "answers" for m in labels)
    refitted = (f"refits.{m}.{k}" for m in labels for k in ("summary", "fragile"))
    compared = write.say(
        *(f"comparison.{m}.{k}" for m in labels for k in ("sentence", "organisations.sentence"))
    )
    return _under(
        "## Checks {#sec-checks}",
        write.block(write.say("diagnostics.sentence", "diagnostics.anew"), "tbl:diagnostics"),
        write.block(
            write.say("refits.gates", *refitted, "power.sentence"),
            *("fig:refits", "tbl:refits", "tbl:power"),
        ),
        # Of studies without rows there is no figure, and the sentence says why.
        *(
            write.block(said, f"fig:predictive_{m}", label=label) or said
            for m, label in labels.items()
            for said in [write.say(f"predictive.{m}.sentence")]
        ),
        write.block(compared, "fig:comparison", "tbl:comparison") or compared,
        write.block("Some modules were fitted once more in another way.", "tbl:sensitivity"),
        write.block("Sampling weights are in no model.", "tbl:design_based"),
        *(
            write.found(f"{name}.sentence", f"tbl:{name}")
            for name in ("tails", "left_out_groups")
            if len(write.evidence.synthesis.get("pooled", ()))
        ),
        write.block(
            write.say("associations.sentence", "associations.reliability"), "tbl:associations"
        ),
        write.found("missing_outcomes.sentence", "tbl:missing_outcomes") if answers else "",
    )


def _limitations(write: Writer) -> str:
    """What the evidence cannot say, as far as that follows from what it is."""
    evidence, said = write.evidence, [write.say("provenance.sentence")]
    estimates = evidence.synthesis.get("estimates")
    if estimates is not None and len(estimates):
        if estimates.groupby(ESTIMAND)["study"].nunique().eq(1).any():
            said.append(
                "Where an effect rests on one study, the heterogeneity between studies is unknown, "
                "not small."
            )
        said.append("The region of practical equivalence is a convention.")
    answers = [found for m, found in evidence.contrasts.items() if evidence.model(m) == "answers"]
    if answers:
        said.append(
            "Scores are treated as continuous, and missing outcomes are taken as ignorable."
        )
    if any(found["exposure_type"].eq("measured").any() for found in answers):
        said.append("Measured exposures share causes with what they are related to.")
    if "codings" in {evidence.model(m) for m in evidence.contrasts}:
        said.append(
            "Coders' accuracy is pooled over codes and studies, and their errors are taken as "
            "independent given the truth."
        )
    if any(
        evidence.model(m) == "events" and not (m in evidence.cells and evidence.cells[m].joint)
        for m in evidence.contrasts
    ):
        said.append(
            "Outcomes that are there or not are modelled one by one: which of them come together "
            "in one person is not, so no effects on two of them are compared."
        )
    if evidence.published:
        said.append("What was never published is not here.")
        if not len(evidence.appraisal):
            said.append("The risk of bias of the publications was not assessed.")
    text = " ".join(filter(None, said))
    below = write.block(text, "tbl:appraisal") or text
    missing = ""
    if write.unknown:
        keys = joined([f"`{key}`" for key in write.unknown])
        missing = f"The bibliography has no entry for {keys}."
    return _under("## Limitations {#sec-limitations}", below, missing)
