"""Moderators of the effects of a module: what is identified, what the model does with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.hand_made import experiment
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.design.moderators import DECIDED
from metastudy.harmonized.schema import empty
from metastudy.harmonized.study import Study
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers import model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design, around, slopes, structures
from metastudy.models.answers.estimates import blocks
from metastudy.models.answers.moderators import with_moderators
from metastudy.models.data_vector import pack
from metastudy.models.prior_simulation import parameters
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts
from metastudy.synthesis.eligibility import module_structures

TASK = "task_type_randomised"
KNOWN = Vocabulary(
    dict(VOCABULARY.sections)
    | {
        "moderators": {
            "latitude": {"label": "Latitude", "unit": "degrees"},
            "mode": {"label": "Mode", "levels": {"paper": "Paper", "online": "Online"}},
            "year": {"label": "Year"},
        }
    }
)
PRIORS = priors_of(
    {
        "baseline": 1.0, "effect": 0.5, "tau": 0.3, "outcomes": 0.2, "sigma": 0.5,
        "correlation": 2.0, "moderator": 0.4,
    }
)  # fmt: skip
PLACES = [10.0, 20.0, 25.0, 45.0]
MODES = ["paper", "online", "paper", "online"]


def study(name: str, n: int = 60, said: dict[str, Any] | None = None, **more: Any) -> Study:
    made, _ = experiment(name, n, seed=ord(name), **{"outcomes": ["threat_job"], **more})
    rows = [
        {"study_id": name, "finding_id": None, "kind": "moderator", "name": k, "value": str(v)}
        for k, v in (said or {}).items()
    ]
    table = pd.DataFrame(rows, columns=list(empty("attributes")))
    return made.with_tables(attributes=table)


def cells_of(*studies: Study) -> xr.Dataset:
    return with_moderators(answer_cells(studies, "threat", KNOWN), studies, KNOWN)


def four(**more: Any) -> xr.Dataset:
    names = zip("abcd", PLACES, MODES, strict=True)
    return cells_of(*(study(s, said={"latitude": x, "mode": m}, **more) for s, x, m in names))


def reasons(cells: xr.Dataset) -> dict[str, str]:
    table = module_structures(cells)
    mine = table[table["exposure"].eq(TASK) & table["grouping"].isin(KNOWN["moderators"])]
    return {r.grouping: f"{r.used_as}: {r.reason}" for r in mine.itertuples()}


def test_cells_without_a_moderator_are_those_that_they_were() -> None:
    studies = [study("a"), study("b")]
    plain = answer_cells(studies, "threat", KNOWN)
    assert with_moderators(plain, studies, KNOWN) is plain
    assert slopes(plain).names == ()
    assert "moderator" not in {v.name for v in model.build(plain, PRIORS).free_RVs}


def test_numbers_are_around_the_mean_of_the_studies_and_categories_against_a_reference() -> None:
    cells = four()
    found = slopes(cells)
    mine = [name for name in found.names if name.startswith(f"{TASK}, threat_job")]
    assert mine == [
        f"{TASK}, threat_job, professional: latitude",
        f"{TASK}, threat_job, professional: mode online",
    ]
    shape = tuple(cells.sizes[d] for d in ("setting", "exposure", "outcome"))
    columns = found.columns.reshape(*shape, -1)
    place = list(cells.exposure.values).index(TASK)
    want = (np.array(PLACES) - np.mean(PLACES)) / np.std(PLACES, ddof=1)
    at = found.names.index(mine[0])
    np.testing.assert_allclose(columns[:, place, 0, at], want)
    np.testing.assert_array_equal(columns[:, place, 0, found.names.index(mine[1])], [0, 1, 0, 1])
    assert not np.delete(columns[..., at], place, axis=1).any(), "of its own exposure alone"


def test_it_says_where_the_mean_is_and_that_studies_are_compared() -> None:
    assert reasons(four()) == {
        "latitude": "fixed: a comparison between studies; population mean at its mean 25 degrees",
        "mode": "fixed: a comparison between studies; population mean at its reference paper",
    }


@pytest.mark.parametrize(
    ("said", "name", "reason"),
    [
        ([{"year": 1}, {"year": 1}, {"year": 1}], "year", "refused: the same in all 3 estimates"),
        ([{"year": 1}, {"year": 2}, {}], "year", "refused: not known of c"),
        (
            [{"latitude": 1, "year": 3}, {"latitude": 2, "year": 5}, {"latitude": 3, "year": 7}],
            "year",
            "refused: aliased with latitude",
        ),
        ([{"year": 1}, {"year": 2}], "year", "refused: aliased with study"),
    ],
)
def test_what_the_design_does_not_identify_is_refused_with_its_alias(
    said: list[dict[str, Any]], name: str, reason: str
) -> None:
    cells = cells_of(*(study(s, said=of) for s, of in zip("abc", said, strict=False)))
    assert reasons(cells)[name].startswith(reason)
    assert not [of for of in slopes(cells).names if name in of]


def test_a_country_that_a_category_tells_apart_has_no_spread_of_its_own() -> None:
    """Two countries, one on paper and one online: the difference is the moderator's."""
    countries, modes = ["DK", "DK", "FI", "FI"], ["paper", "paper", "online", "online"]
    made = [
        study(s, country=c, said={"mode": m})
        for s, c, m in zip("abcd", countries, modes, strict=True)
    ]
    without = around(answer_cells(made, "threat", KNOWN))[TASK, "threat_job"].found
    found = around(cells_of(*made))[TASK, "threat_job"].found
    assert without.component("country") is not None
    assert found.component("country") is None
    assert found.component("study") is not None


def test_roles_have_coefficients_of_their_own() -> None:
    role = ["professional", "citizen_coproducer"] * 40
    names = zip("abcd", PLACES, strict=True)
    cells = cells_of(*(study(s, 80, {"latitude": x}, role=role) for s, x in names))
    mine = [name for name in slopes(cells).names if name.startswith(TASK)]
    assert mine == [
        f"{TASK}, threat_job, {r}: latitude" for r in ("citizen_coproducer", "professional")
    ]
    assert [of for e, of, _ in structures(cells) if e == TASK] == [""]


def test_effects_of_the_model_are_mean_level_and_the_shift_of_the_moderators() -> None:
    cells = four()
    drawn = parameters(model.build(cells, PRIORS), 6, 3)
    design, found = answer_design(cells), slopes(cells)
    want = design.sums(drawn["mu"].values, drawn["level"].values)
    shift = drawn["moderator"].values @ found.columns.T
    assert np.abs(shift).max() > 0.1
    np.testing.assert_allclose(
        drawn["beta"].values.reshape(6, -1), want + shift, rtol=1e-6, atol=1e-9
    )
    assert drawn["moderator"].sizes["moderator_of"] == len(found.names)


def test_contrasts_have_a_row_for_each_coefficient_and_the_mean_says_where_it_is() -> None:
    cells = four()
    draws = parameters(model.build(cells, PRIORS), 12, 3)
    tree = xr.DataTree.from_dict(
        {"posterior": draws.rename(simulation="draw").expand_dims("chain")}
    )
    found = contrasts(cells, tree)
    table = found.index[found.index["exposure"] == TASK]
    mine = table[table["estimand"] == "moderator"].set_index("group")
    assert mine["against"].to_dict() == {"latitude": "", "mode": "online"}
    assert mine.loc["latitude", "note"] == (
        f"per SD, 14.7 degrees; a comparison between studies; {DECIDED}"
    )
    assert mine.loc["mode", "note"].startswith("against paper; a comparison between studies")
    (note,) = table.loc[table["level"] == "population", "note"]
    assert note == "at the mean of latitude: 25 degrees; at the reference of mode: paper"
    assert found.table(0.95, {"sd": 0.1}).set_index("id").loc[mine["id"], "rope"].notna().all()


@pytest.mark.long(of=("metastudy.models.answers.kind", "metastudy.inference.sampling"))
def test_a_coefficient_is_that_of_the_weighted_regression_of_the_estimates() -> None:
    """With a given spread and large studies the posterior is normal, and known in closed form."""
    places = np.array([5.0, 10.0, 20.0, 30.0, 42.0, 50.0])
    made = [study(s, 700, {"latitude": x}) for s, x in zip("abcdef", places, strict=True)]
    cells = cells_of(*made)
    tau = 0.1
    sampling = {"chains": 2, "draws": 500, "tune": 300, "seed": 5, "target_accept": 0.9}
    tree = draw(compile_model(model.build(cells, PRIORS)), sampling, 1,
                pack(cells, PRIORS, fixed_tau=tau))  # fmt: skip
    estimates = pd.concat([table.assign(se=np.sqrt(np.diag(v))) for table, v in
                           blocks(cells, KNOWN)])  # fmt: skip
    own = estimates[estimates["exposure"] == TASK]
    x = np.column_stack([np.ones(6), (places - places.mean()) / places.std(ddof=1)])
    weight = 1 / (own["se"].to_numpy() ** 2 + tau**2)
    prior = np.diag([1 / PRIORS["effect"].scale ** 2, 1 / PRIORS["moderator"].scale ** 2])
    covariance = np.linalg.inv(x.T @ (weight[:, None] * x) + prior)
    mean = covariance @ x.T @ (weight * own["estimate"].to_numpy())
    posterior = tree["posterior"].to_dataset()
    name = f"{TASK}, threat_job, professional"
    for found, at in (
        (posterior["mu"].sel(estimand=name), 0),
        (posterior["moderator"].sel(moderator_of=f"{name}: latitude"), 1),
    ):
        sd = np.sqrt(covariance[at, at])
        assert float(found.mean()) == pytest.approx(mean[at], abs=0.15 * sd)
        assert float(found.std()) == pytest.approx(sd, rel=0.12)
