"""Arms with means have the cells and the likelihood of their people; clusters count for less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytensor.tensor as pt
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from helpers.raw_studies import VOCABULARY
from helpers.scored_arms import ICC, TWO, arms_of, both, cells, of_arms, of_rows, people, study
from metastudy.harmonized.study import load_study
from metastudy.models.answers.assumed import studies_apart
from metastudy.models.answers.design import estimands, families
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.join import join_answers
from metastudy.models.answers.kind import sizes
from metastudy.models.answers.rows import rows_of
from metastudy.models.answers.shifted import shifted
from metastudy.models.likelihoods import gaussian_cells

PARTS = ("coping_escalation", "coping_help_seeking")


def the_same(arms: xr.Dataset, rows: xr.Dataset) -> None:
    for name in rows.data_vars:
        if rows[name].dtype.kind == "f":
            np.testing.assert_allclose(arms[name], rows[name], rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            np.testing.assert_array_equal(arms[name], rows[name], err_msg=name)


@pytest.mark.parametrize("constructs", [TWO[:1], TWO])
@pytest.mark.parametrize("keying", ["", ", keying: reverse"])
def test_arms_by_site_are_the_cells_of_their_people(
    tmp_path: Path, constructs: tuple[str, ...], keying: str
) -> None:
    arms, rows = both(tmp_path, constructs, keying)
    assert arms.n.values.sum() == len(people())
    assert sizes(arms)[1].sum() == len(people())
    the_same(arms, rows)


def test_what_is_a_part_of_another_outcome_is_folded_as_it_is_of_people(tmp_path: Path) -> None:
    arms, rows = both(tmp_path, PARTS, variant="folded", module="coping")
    assert tuple(arms.construct.values) == PARTS[:1]
    the_same(arms, rows)


def density(found: xr.Dataset, b: np.ndarray, cov: np.ndarray) -> float:
    """Log-density of cells with the same coefficients everywhere."""
    given = [pt.as_tensor_variable(found[name].values) for name in ("n", "xx", "xy", "yy")]
    size = found.sizes["cell"]
    each = [
        pt.as_tensor_variable(np.repeat(of[None], n, axis=0)) for of, n in ((b, size), (cov, 1))
    ]
    where = found.pattern_of_cell.values, np.zeros(size, dtype=int)
    return float(gaussian_cells(*given, *each, found.observed.values, *where).eval())


@pytest.mark.parametrize("constructs", [TWO[:1], TWO])
def test_arms_have_the_log_density_of_their_people_up_to_a_constant(
    tmp_path: Path, constructs: tuple[str, ...]
) -> None:
    # Not given by site, of a study without sites.
    table = people(constructs).drop(columns="home")
    said = "  - {name: home, as: site}\n"
    lines = "".join(
        f"  - {{name: r, as: correlation, constructs: [{', '.join(constructs)}]}}\n"
        for _ in constructs[1:]
    )
    arms = study(
        tmp_path / "arms",
        arms_of(table.assign(home="all"), constructs).drop(columns="home"),
        of_arms(constructs, lines).replace(said, ""),
    )
    rows = study(tmp_path / "rows", table, of_rows(constructs).replace(said, ""), None)
    found, _ = cells(tmp_path / "arms", arms), cells(tmp_path / "rows", rows)
    one = rows_of(load_study(tmp_path / "rows" / "out"), "threat", VOCABULARY)
    y = one.y[[(c, "") for c in found.construct.values]].to_numpy()
    x = np.column_stack([np.ones(len(y)), one.x.to_numpy()])
    rng, k = np.random.default_rng(5), len(constructs)
    apart = []
    for _ in range(3):
        b, root = rng.normal(size=(2, k)), np.tril(rng.normal(size=(k, k))) + 1.5 * np.eye(k)
        cov = root @ root.T
        by_person = sum(
            multivariate_normal.logpdf(mine, mean, cov) for mine, mean in zip(y, x @ b, strict=True)
        )
        apart.append(density(found, b, cov) - by_person)
    np.testing.assert_allclose(apart, apart[0], rtol=0, atol=1e-9 * len(y))


def test_outcomes_without_correlations_are_modelled_apart(tmp_path: Path) -> None:
    table = people()
    codebook = of_arms().replace("threat_quality", "threat_profession")
    arms = arms_of(table).drop(columns="r")
    arms.columns = arms.columns.str.replace("threat_quality", "threat_profession")
    found = cells(tmp_path / "both", study(tmp_path / "both", arms, codebook))
    assert studies_apart(found) == ("small",)
    # Each outcome has the cells that it has where it is the only one, and nothing is between them.
    for at, name in enumerate(found.construct.values):
        mine = found.observed.values[found.pattern_of_cell.values][:, at] == 1
        other = of_arms((str(name),))
        alone = cells(tmp_path / name, study(tmp_path / name, arms, other))
        np.testing.assert_allclose(found.xx.values[mine], alone.xx.values)
        np.testing.assert_allclose(found.xy.values[mine][:, :, [at]], alone.xy.values)
        np.testing.assert_allclose(found.yy.values[mine][:, at, at], alone.yy.values[:, 0, 0])
        assert not found.yy.values[:, at, 1 - at].any()
    # People count once, and in the whole module no outcome is pooled with another.
    assert sizes(found)[1].sum() == len(table)
    assert families(estimands(found)).eq("").all()
    _, rows = both(tmp_path, ("threat_job", "threat_profession"))
    joined = join_answers([rows.assign(study=("setting", ["other"])), found], VOCABULARY)
    assert families(estimands(rows)).ne("").all()
    assert families(estimands(joined)).eq("").all()
    assert studies_apart(joined) == ("small",)
    ((_, covariance),) = blocks(found, VOCABULARY)
    assert covariance[0, 1] == 0
    # And nobody's outcome is missing because another cell has it.
    assert shifted(found, VOCABULARY, 0.5).empty


def test_an_arm_of_an_unknown_condition_leaves_with_its_people(tmp_path: Path) -> None:
    name = TWO[:1]
    arms = arms_of(people(name), name)
    extra = arms.iloc[[0]].assign(nr=9, home="Cc", arm=99, n=20)
    levels = "{1: complementary, 2: core}}}"
    codebook = of_arms(name).replace(levels, levels[:-1] + ", missing: {99: not_asked}}")
    assert "99" in codebook
    made = study(tmp_path / "more", pd.concat([arms, extra]), codebook)
    found = cells(tmp_path / "more", made)
    the_same(found, cells(tmp_path / "less", study(tmp_path / "less", arms, of_arms(name))))
    rows = {entry["rule"]: entry["rows"] for entry in json.loads(found.attrs["dropped"])}
    assert rows == {"exposure_missing": 20, "no_outcome_scored": 0, "design_effect": 0}
    assert made.report["rows_kept"] == len(people()) + 20


def test_arms_of_clusters_count_for_less_by_the_design_effect(tmp_path: Path) -> None:
    name = TWO[:1]
    table = people(name).assign(home="all")
    arms = arms_of(table, name).drop(columns="home").assign(icc=[0.05, 0.1], m=[11, 6])
    codebook = of_arms(name, ICC).replace("  - {name: home, as: site}\n", "")
    found = cells(tmp_path, study(tmp_path, arms, codebook, "true"))
    n = arms["n"] / (1 + (arms["m"] - 1) * arms["icc"])
    np.testing.assert_allclose(found.n.values, n.sum())
    assert '{"rows": 37, "rule": "design_effect", "study": "small"}' in found.attrs["dropped"]
    # The difference of the two means in the reference arm's SD, and its error by Cochrane 23.1.4.
    mean, sd = arms[f"m_{name[0]}"], arms[f"sd_{name[0]}"]
    df = n[0] - 1
    unit = sd[0] / (1 - 3 / (4 * df - 1))
    ((rows, covariance),) = blocks(found, VOCABULARY)
    d = (mean[1] - mean[0]) / unit
    assert rows["estimate"].iloc[0] == pytest.approx(d, rel=1e-9)
    pooled = ((n - 1) * sd**2).sum() / (n.sum() - 2)
    error = pooled * (1 / n).sum() / unit**2 + d**2 / (2 * df)
    assert covariance[0, 0] == pytest.approx(error, rel=1e-9)
