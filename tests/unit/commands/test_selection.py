"""The command of selection, from a codebook to its tables: a publication counts once.

A publication has two effects on one estimand. Where its codebook declares one of them primary,
that one counts; else their mean does, with the error that their correlation gives it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.raw_studies import FINDINGS, harmonized, published_study
from helpers.repository import ROOT
from metastudy.commands import declare, selection
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import save

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
WORDS = ROOT / "config" / "vocabulary.yaml"
BOOK = FINDINGS + "  - {name: main, as: finding, field: priority}\n"
HEAD = "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level,main\n"
EFFECTS = [("a", 0.10, 0.1), ("a", 0.40, 0.2), ("b", 0.30, 0.1), ("c", 0.05, 0.1)]


def made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primary: str = "", sides: str = "{}"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of the command: its analyses by name, and the effects by publication."""
    text = HEAD + "".join(
        f"f{k},{paper},a to b,assigned,threat_job,+,{d},{se},log_odds,90,DK,published_numeric,"
        f"{'primary' if f'f{k}' == primary else ''}\n"
        for k, (paper, d, se) in enumerate(EFFECTS, start=1)
    )
    save(harmonized(published_study(tmp_path, text, BOOK)), tmp_path / "harmonized")
    words = ["--published", tmp_path / "harmonized", "--vocabulary", WORDS]
    monkeypatch.setattr(sys, "argv", ["declare", *map(str, words), "--out", str(tmp_path / "said")])
    declare.main()
    options = {
        "declared": tmp_path / "said",
        "priors": json.dumps(CONFIG["priors"]),
        "sides": sides,
        "correlation": CONFIG["pooling"]["correlation"],
        "interval": 0.95,
        "rope_sd": 0.1,
        "rope_logit": 0.18,
        "table": tmp_path / "analyses.parquet",
        "effects": tmp_path / "effects.parquet",
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    monkeypatch.setattr(sys, "argv", ["selection", *words])
    selection.main()
    table, effects = (pd.read_parquet(options[name]) for name in ("table", "effects"))
    return table.set_index("analysis"), effects.set_index("study")


def test_without_a_primary_effect_the_mean_counts_with_its_correlation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, effects = made(tmp_path, monkeypatch)
    assert list(effects.index) == ["a", "b", "c"]
    assert effects.loc["a", "estimate"] == pytest.approx(0.25)
    square = (0.1**2 + 0.2**2 + 2 * CONFIG["pooling"]["correlation"] * 0.1 * 0.2) / 4
    assert effects.loc["a", "se"] == pytest.approx(np.sqrt(square))
    assert table.loc["plain", "effects"] == 3
    assert not table["declared"].any()


def test_a_primary_effect_that_the_codebook_declares_counts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, effects = made(tmp_path, monkeypatch, primary="f2", sides='{"threat_job": "negative"}')
    assert effects.loc["a", ["estimate", "se"]].tolist() == [0.40, 0.2]
    assert set(effects["side"]) == {"negative"}


def test_a_side_of_an_outcome_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput, match=r"selection\.sides"):
        made(tmp_path, monkeypatch, sides='{"thraet_job": "positive"}')
    assert not (tmp_path / "analyses.parquet").exists()
