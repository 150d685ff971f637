"""A verdict without a mark is the same whatever the seed: over five fits of the shipped data."""

from __future__ import annotations

from collections.abc import Callable

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


@pytest.mark.parametrize("module", ["threat", "coping", "strain"])
def test_no_unmarked_word_changes_with_the_seed(
    module: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    figures: Callable[..., None],
) -> None:
    monkeypatch.chdir(ROOT)
    settings = checked(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8")))
    folder = tmp_path_factory.mktemp(module)
    studies = discover(settings).modules[module].studies
    for study in studies:
        codebook = load(ROOT / settings["data"] / study, VOCABULARY)
        save(harmonize_file(codebook, KEY), folder / study)
    vocabulary = ROOT / settings["vocabulary"]
    cells = aggregate([folder / study for study in studies], module, vocabulary)
    priors, report = priors_of(settings["priors"]), settings["report"]
    compiled = compile_model(model_of(cells).build(cells, priors))
    ropes = {metric: report[setting] for metric, setting in ROPES.items()}
    cuts = {name: report[name] for name in CUTS}
    found: list[dict[str, Verdict]] = []
    for seed in range(SEEDS):
        tree = draw(compiled, {**settings["sampling"], "seed": seed + 1}, 2)
        table = contrasts(cells, tree, seed).table(report["interval"], ropes)
        found.append(verdicts(table, cuts))
    words = pd.DataFrame([{name: v.kind for name, v in one.items()} for one in found])
    marks = pd.DataFrame([{name: v.border for name, v in one.items()} for one in found])
    changed = words.nunique() > 1
    unmarked = [name for name in words.columns[changed] if not marks[name].any()]
    figures(words=words.shape[1], changed=int(changed.sum()), marked=float(marks.mean().mean()))
    assert not unmarked, "words that change and are never on the border"
    assert marks.mean(axis=1).max() <= MARKED


def verdicts(table: pd.DataFrame, cuts: dict[str, float]) -> dict[str, Verdict]:
    """The verdicts of a table of contrasts, by the contrast's id."""
    judged = table[table["estimand"].isin(["effect", "difference"])]
    return {row["id"]: judge(row, cuts) for row in records(judged) if is_judged(row)}
