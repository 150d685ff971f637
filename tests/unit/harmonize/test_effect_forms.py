"""Published effects in each form: they come through as they are, and what is wrong is named.

What each class of bad input leads to is in ``BAD``: the cells of a row that differ from a good row
of its form, the code, and the column that is named.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import codebook_of, published_study
from helpers.repository import ROOT
from metastudy.codebook.checks.shape import finding_fields
from metastudy.codebook.vocabulary import METRICS
from metastudy.common.problem_codes import CODES
from metastudy.common.problems import BadInput
from metastudy.harmonize.harmonize import harmonize
from metastudy.readers import read

BOOK = """\
study: {{id: small, title: Effects, citation: nobody2026, design: published, provenance: observed}}
file: {{name: findings.csv, format: csv}}
constants: {{{constants}}}
variables:
  - {{name: id, as: id}}
"""
CONSTANTS = "exposure_type: randomised, verification: published_numeric, contrast: a against b"
MEANS = {
    "mean_treatment": 103, "sd_treatment": 5.5, "n_treatment": 50,
    "mean_control": 100, "sd_control": 4.5, "n_control": 50, "metric": "sd",
    "standardiser": "pooled_sd",
}  # fmt: skip
COUNTS = {
    "events_treatment": 5, "n_treatment": 100, "events_control": 10, "n_control": 100,
    "metric": "log_odds",
}  # fmt: skip
RATES = {"events_treatment": 5, "time_treatment": 99.5, "events_control": 4, "time_control": 80}
INTERVAL = {
    "estimate": 1.5, "ci_lower": 1.1, "ci_upper": 2.05, "ci_level": 95, "metric": "log_odds",
    "reported_as": "odds_ratio",
}  # fmt: skip
TEST = {"t": 2.5, "n": 80, "metric": "sd"}
GOOD = {
    "means": MEANS,
    "counts": COUNTS,
    "rates": RATES | {"metric": "log_rate_ratio"},
    "interval": INTERVAL,
    "test": TEST,
    "p": {"p": 0.02, "n": 80, "metric": "sd", "direction": "negative"},
    "pairs": MEANS | {"n": 40, "paired_correlation": 0.6, "n_control": "", "n_treatment": ""},
    "r": {"r": 0.3, "n": 90, "metric": "fisher_z"},
    "clusters": COUNTS | {"metric": "percentage_points", "icc": 0.02, "cluster_size": 20},
    "estimate": {"estimate": 0.3, "se": 0.1, "metric": "scale_points", "n": 300},
}


def harmonized(tmp_path: Path, *rows: dict, constants: str = CONSTANTS) -> pd.DataFrame:
    """The table of effects of rows, each of a publication and on an outcome of its own."""
    full = [
        {"id": f"f{k}", "citation": f"a{k}", "outcome": f"o{k}"} | r for k, r in enumerate(rows)
    ]
    names = list(dict.fromkeys(name for row in full for name in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="")
    writer.writeheader()
    writer.writerows(full)
    book = BOOK.format(constants=constants)
    fields = [name for name in names if name not in ("id", "more")]
    book += "".join(f"  - {{name: {n}, as: finding, field: {n}}}\n" for n in fields)
    codebook = codebook_of(published_study(tmp_path, file.getvalue(), book))
    return harmonize(codebook, read(codebook), b"any").tables["effects"]


def test_forms_may_be_mixed_in_a_file_and_each_says_how_it_was_computed(tmp_path: Path) -> None:
    table = harmonized(tmp_path, *GOOD.values()).set_index("finding_id")
    table.index = list(GOOD)
    assert table["estimate"].notna().all()
    assert (table["se"] > 0).all()
    assert table["method"].drop("estimate").notna().all()
    assert table.loc["estimate", ["estimate", "se"]].tolist() == [0.3, 0.1]
    assert pd.isna(table.loc["estimate", "method"])
    assert (table["direction"] == np.where(table["estimate"] > 0, "positive", "negative")).all()
    assert table.loc["p", "estimate"] < 0
    sd = table[table["metric"] == "sd"]
    assert set(sd["standardiser"]) == {"pooled_sd"}
    assert set(sd["small_sample"]) == {"corrected"}
    assert table.loc["pairs", ["n", "n_control", "n_treatment"]].tolist() == [40, 40, 40]
    assert "design effect 1.38" in table.loc["clusters", "method"]


def test_an_inequality_is_a_finding_of_direction_with_its_bound(tmp_path: Path) -> None:
    row = {"p": "p < .001", "n": 120, "metric": "sd", "direction": "negative"}
    row = harmonized(tmp_path, row).squeeze()
    assert row["direction"] == "negative"
    assert row[["estimate", "se", "size_below"]].isna().all()
    assert row["size_above"] == pytest.approx(0.61, abs=0.01)
    assert "no estimate" in row["method"]


def test_a_conversion_happens_where_it_is_declared_and_is_said(tmp_path: Path) -> None:
    declared = COUNTS | {"metric": "sd", "reported_as": "log_odds"}
    one, other = harmonized(tmp_path, COUNTS, declared).itertuples()
    assert other.estimate == pytest.approx(one.estimate * np.sqrt(3) / np.pi)
    assert other.se == pytest.approx(one.se * np.sqrt(3) / np.pi)
    assert "converted" in other.method
    assert "Hasselblad and Hedges 1995" in other.method


BAD = {
    "SD of zero": ("means", {"sd_control": 0}, "standardiser", "sd_control"),
    "negative SD": ("means", {"sd_control": -1}, "off-scale", "sd_control"),
    "no SD said": ("means", {"standardiser": ""}, "standardiser", "mean_treatment"),
    "means without n": ("means", {"n_control": ""}, "incomplete-finding", "mean_treatment"),
    "one arm only": ("means", {"mean_control": ""}, "incomplete-finding", "mean_treatment"),
    "counts of one arm": ("counts", {"events_control": ""}, "incomplete-finding",
                          "events_treatment"),
    "events above n": ("counts", {"events_control": 101}, "impossible-effect", "events_control"),
    "no event": ("counts", {"events_control": 0, "events_treatment": 0}, "impossible-effect",
                 "events_treatment"),
    "broken event": ("counts", {"events_control": 1.5}, "off-scale", "events_control"),
    "time of zero": ("rates", {"time_control": 0}, "off-scale", "time_control"),
    "interval beside its estimate": ("interval", {"estimate": 2.2}, "impossible-effect",
                                     "ci_lower"),
    "interval the wrong way round": ("interval", {"ci_lower": 2.05, "ci_upper": 1.1},
                                     "impossible-effect", "ci_lower"),
    "interval without level": ("interval", {"ci_level": ""}, "incomplete-finding", "ci_lower"),
    "level as a share": ("interval", {"ci_level": 0.95}, "off-scale", "ci_level"),
    "ratio below zero": ("interval", {"ci_lower": -0.1}, "impossible-effect", "ci_lower"),
    "interval alone": ("interval", {"estimate": "", "direction": "positive"}, "incomplete-finding",
                       "ci_lower"),
    "t without n": ("test", {"n": ""}, "incomplete-finding", "t"),
    "t against its direction": ("test", {"direction": "negative"}, "sign-against-direction",
                                "direction"),
    "t against its estimate": ("estimate", {"t": -3.0}, "sign-against-direction", "t"),
    "z against its ratio": ("interval", {"z": -2.5}, "sign-against-direction", "z"),
    "t against its means": ("means", {"t": -2.9}, "sign-against-direction", "t"),
    "t against its z": ("test", {"z": -2.5}, "sign-against-direction", "z"),
    "p against its estimate": ("estimate", {"p": "> 0.05", "estimate": 0.301, "se": 0.0501},
                               "impossible-effect", "p"),
    "total of a forest plot": ("estimate", {"citation": "Total (95% CI)"}, "totals-row",
                               "citation"),
    "row of the pooled effect": ("means", {"id": "Overall"}, "totals-row", "id"),
    "total without a publication": ("counts", {"id": "Subtotal", "citation": "", "outcome": ""},
                                    "totals-row", "id"),
    "test in another SD": ("test", {"standardiser": "control_sd"}, "standardiser", "t"),
    "two degrees of freedom": ("test", {"df": 2}, "impossible-effect", "df"),
    "p of 0.000": ("p", {"p": "0.000"}, "off-scale", "p"),
    "p above one": ("p", {"p": 1.2}, "off-scale", "p"),
    "p as stars": ("p", {"p": "***"}, "off-scale", "p"),
    "p without a sign": ("p", {"direction": "null_result"}, "incomplete-finding", "p"),
    "correlation beyond 1": ("r", {"r": 1.02}, "off-scale", "r"),
    "correlation of 1": ("r", {"r": 1}, "off-scale", "r"),
    "correlation of pairs beyond 1": ("pairs", {"paired_correlation": -1.3}, "off-scale",
                                      "paired_correlation"),
    "pairs of a correlation": ("r", {"paired_correlation": 0.5}, "two-forms", "paired_correlation"),
    "ICC above one": ("clusters", {"icc": 2}, "off-scale", "icc"),
    "ICC without size": ("clusters", {"cluster_size": ""}, "incomplete-finding", "icc"),
    "unknown unit": ("estimate", {"metric": "cohens_q"}, "unknown-label", "metric"),
    "misspelt outcome": ("estimate", {"outcome": "threat_qualty"}, "unknown-label", "outcome"),
    "no unit": ("counts", {"metric": ""}, "incomplete-finding", "events_treatment"),
    "SDs of zero": ("means", {"metric": "sd", "standardiser": "pooled_sd", "sd_treatment": 1e-200,
                               "sd_control": 1e-200}, "standardiser", "mean_treatment"),
    "unit that counts do not give": ("counts", {"metric": "sd"}, "undeclared-conversion",
                                     "events_treatment"),
    "conversion that there is none of": ("means", {"reported_as": "sd", "metric": "fisher_z"},
                                         "undeclared-conversion", "mean_treatment"),
    "two forms": ("means", {"estimate": 0.6, "se": 0.2}, "two-forms", "mean_treatment"),
    "variance of zero": ("estimate", {"se": "", "variance": 0}, "zero-error", "se"),
    "direction against the means": ("means", {"direction": "negative"}, "sign-against-direction",
                                    "direction"),
    "neither direction nor effect": ("estimate", dict.fromkeys(("estimate", "se", "n"), ""),
                                     "incomplete-finding", "id"),
}  # fmt: skip


@pytest.mark.parametrize(("form", "changed", "code", "column"), BAD.values(), ids=list(BAD))
def test_what_cannot_be_true_is_one_error_at_its_cell(
    tmp_path: Path, form: str, changed: dict, code: str, column: str
) -> None:
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, GOOD["estimate"], GOOD[form] | changed)
    found = [p for p in caught.value.problems if p.code == code]
    assert [(p.code, p.column, p.row) for p in found] == [(code, column, 3)]
    assert {p.code for p in caught.value.problems} == {code}
    (problem,) = found
    assert problem.study == "small"
    assert problem.found
    assert problem.expected
    assert problem.fix
    assert code in CODES


def test_a_name_that_is_like_none_or_differs_in_a_number_is_one_of_its_own(tmp_path: Path) -> None:
    names = {"happiness", "threat_quality2", "threat_quality", "internal_efficacy"}
    found = harmonized(tmp_path, *(GOOD["estimate"] | {"outcome": name} for name in names))
    assert set(found["outcome"]) == names, "external_efficacy is another outcome"


PAGE = (ROOT / "docs" / "published_effects.md").read_text("utf-8")


def examples() -> list[dict[str, str]]:
    """The rows of all tables of the page that have a column for the metric."""
    found = []
    for block in PAGE.split("\n\n"):
        lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        if "metric" in lines[0]:
            found += [dict(zip(lines[0], line, strict=True)) for line in lines[2:]]
    return found


def test_the_examples_of_the_page_are_read_and_each_code_on_it_is_one(tmp_path: Path) -> None:
    rows = examples()
    assert len(rows) == 11
    assert {name for row in rows for name in row} <= set(finding_fields())
    assert harmonized(tmp_path, *rows)[["estimate", "se"]].notna().all(axis=None)
    codes = [line.split("`")[-2] for line in PAGE.split("| what | code |")[1].splitlines()[2:]]
    assert set(codes) <= set(CODES)
    assert {code for *_, code, _ in BAD.values()} <= set(codes)
    for metric in METRICS:
        assert f"| `{metric}` |" in PAGE


def test_two_metrics_of_one_estimand_and_an_effect_twice_name_all_their_rows(
    tmp_path: Path,
) -> None:
    same = {"outcome": "tiredness"}
    twice = GOOD["estimate"] | {"citation": "one", "outcome": "pain"}
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, MEANS | same, COUNTS | same, GOOD["r"], twice, twice)
    assert [(p.code, p.row) for p in caught.value.problems] == [
        ("duplicate-effect", 6),
        ("mixed-metrics", "2, 3"),
    ]
    assert "log_odds and sd" in caught.value.problems[1].found


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    rows = [GOOD[form] | changed for form, changed, _, _ in BAD.values()]
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, *rows)
    found = {(p.code, str(p.row)) for p in caught.value.problems}
    for at, (name, (_, _, code, _)) in enumerate(BAD.items(), start=2):
        assert any(c == code and str(at) in r.split(", ") for c, r in found), name


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ("ci_levle: 95", "codebook", "Did you mean 'ci_level'?"),
        ("metric: cohen", "codebook", "log_odds"),
        ("role: nobody_knows", "codebook", "vocabulary's roles"),
        ("outcome: pain", "codebook", "has a column too"),
        ("ci_level: 0.95", "off-scale", "from 50 on"),
    ],
)
def test_a_constant_is_checked_as_a_cell_is(
    tmp_path: Path, more: str, code: str, said: str
) -> None:
    row = {"estimate": 0.3, "se": 0.1, "n": 300}
    with pytest.raises(BadInput) as caught:
        harmonized(tmp_path, row, constants=f"{CONSTANTS}, {more}")
    problems = [p for p in caught.value.problems if p.code == code]
    assert any(said in str(p) for p in problems)
    assert all("codebook.yaml" in p.file for p in problems if "constants" in str(p.column))


def test_a_constant_counts_in_every_row_that_it_can_be_of(tmp_path: Path) -> None:
    constants = f"{CONSTANTS}, standardiser: control_sd, icc: 0.1, cluster_size: 11"
    means = {name: value for name, value in MEANS.items() if name != "standardiser"}
    one, other = harmonized(tmp_path, means, COUNTS, constants=constants).itertuples()
    assert one.standardiser == "control_sd"
    assert pd.isna(other.standardiser)
    assert other.se**2 == pytest.approx(0.321637 * 2, rel=1e-5)
