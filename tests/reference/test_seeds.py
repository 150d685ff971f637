"""A verdict without a mark is the same whatever the seed: over five fits of the shipped data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.article.table_rows import is_judged
from metastudy.codebook.codebook import load
from metastudy.common.tables import records
from metastudy.config import checked, discover
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.aggregate import aggregate
from metastudy.models.priors import priors_of
from metastudy.models.registry import model_of
from metastudy.posterior.contrasts import contrasts
from metastudy.posterior.verdicts import CUTS, ROPES, Verdict, judge

pytestmark = [
    pytest.mark.fit,
    pytest.mark.slow,
    pytest.mark.long(
        of=(
            "metastudy.models.registry",
            "metastudy.inference.sampling",
            "metastudy.posterior.contrasts",
            "metastudy.posterior.verdicts",
        )
    ),
]

SEEDS = 5
MARKED = 0.1  # share of words on the border above which there are too few draws


def test_no_unmarked_word_changes_with_the_seed(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    figures: Callable[..., None],
) -> None:
    monkeypatch.chdir(ROOT)
    settings = checked(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8")))
    found: list[dict[str, Verdict]] = [{} for _ in range(SEEDS)]
    for module, studies in of_modules(settings).items():
        folder = tmp_path_factory.mktemp(module)
        for at, own in enumerate(fitted(settings, module, studies, folder)):
            found[at] |= {f"{module}: {name}": verdict for name, verdict in own.items()}
    words = pd.DataFrame([{name: v.kind for name, v in one.items()} for one in found])
    marks = pd.DataFrame([{name: v.border for name, v in one.items()} for one in found])
    changed = words.nunique() > 1
    share = float(marks.mean(axis=1).max())
    figures(words=words.shape[1], changed=int(changed.sum()), most_marked=share)
    unmarked = [name for name in words.columns[changed] if not marks[name].any()]
    assert not unmarked, "words that change and are never on the border"
    assert share <= MARKED


def of_modules(settings: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: module.studies for name, module in discover(settings).modules.items()}


def fitted(
    settings: dict[str, Any], module: str, studies: Sequence[str], folder: Path
) -> Iterator[dict[str, Verdict]]:
    """The verdicts of a module, seed by seed, from one compilation."""
    for study in studies:
        codebook = load(ROOT / settings["data"] / study, VOCABULARY)
        save(harmonize_file(codebook, KEY), folder / study)
    vocabulary = ROOT / settings["vocabulary"]
    cells = aggregate([folder / study for study in studies], module, vocabulary)
    priors, report = priors_of(settings["priors"]), settings["report"]
    compiled = compile_model(model_of(cells).build(cells, priors))
    ropes = {metric: report[setting] for metric, setting in ROPES.items()}
    for seed in range(SEEDS):
        tree = draw(compiled, {**settings["sampling"], "seed": seed + 1}, 2)
        table = contrasts(cells, tree, seed).table(report["interval"], ropes)
        yield verdicts(table, {name: report[name] for name in CUTS})


def verdicts(table: pd.DataFrame, cuts: dict[str, float]) -> dict[str, Verdict]:
    """The verdicts of a table of contrasts, by the contrast's id."""
    judged = table[table["estimand"].isin(["effect", "difference"])]
    return {row["id"]: judge(row, cuts) for row in records(judged) if is_judged(row)}
