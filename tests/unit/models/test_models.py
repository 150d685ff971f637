"""The whole model on cells is the model on rows: its density, equation by equation, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
import yaml
from scipy.special import expit
from scipy.stats import beta as beta_distribution
from scipy.stats import halfnorm, lognorm, multivariate_normal, norm

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.harmonized.study import Study
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import priors_of

SCALES: dict[str, float] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))[
    "priors"
]
PRIORS = priors_of(SCALES)
POINTS = 20
Values = Mapping[str, np.ndarray]


def densities(model: pm.Model) -> tuple[Callable, list[str]]:
    """Log-density of the values at a point, and every named value there."""
    named = {v.name: v for v in (*model.free_RVs, *model.deterministics)}
    outs = [model.logp(jacobian=False), *model.replace_rvs_by_values(list(named.values()))]
    with model:
        compiled = pm.compile(
            model.value_vars,
            outs,
            mode=pytensor.Mode("py", "fast_compile"),
            on_unused_input="ignore",
        )
    return compiled, list(named)


def assert_same_up_to_a_constant(model: pm.Model, rows: Callable[[Values], float]) -> None:
    compiled, names = densities(model)
    start = model.initial_point()
    rng = np.random.default_rng(8)
    apart, direct = [], []
    for _ in range(POINTS):
        point = [
            start[v.name] + 0.4 * rng.standard_normal(start[v.name].shape) for v in model.value_vars
        ]
        density, *values = compiled(*point)
        direct.append(rows(dict(zip(names, values, strict=True))))
        apart.append(float(density) - direct[-1])
    assert np.ptp(direct) > 5
    np.testing.assert_allclose(apart, apart[0], atol=1e-8 * np.abs(direct).max())


# --- answers -------------------------------------------------------------------------------------

OUTCOMES = ["threat_quality", "threat_job"]
VIGNETTES = ["volunteers_at_work", None]


def three_studies() -> tuple[list[Study], list[pd.DataFrame]]:
    """Three studies in three countries and two sectors; the first has many small sites."""
    made = [
        experiment("a", 40, 1, missing=0.3, sites=4, vignettes=VIGNETTES, outcomes=OUTCOMES),
        experiment("b", 25, 2, missing=0.2, sites=1, outcomes=OUTCOMES, country="FI"),
        experiment("c", 25, 3, sites=2, outcomes=OUTCOMES, country="US", sector="social_care"),
    ]
    return [study for study, _ in made], [wide for _, wide in made]


class Rows:
    """The three studies' answers, respondent by respondent, and the model's equations."""

    def __init__(self, cells: xr.Dataset, tables: list[pd.DataFrame]):
        self.settings = ["a", "b", "c"]
        self.exposures = ["task_type_randomised", "involvement_degree_randomised"]
        self.outcomes = [(c, v or "") for c in OUTCOMES for v in (None, "volunteers_at_work")]
        assert list(cells.outcome.values) == [f"{c}|{v}" for c, v in self.outcomes]
        assert list(cells.setting.values) == self.settings
        self.sites = list(cells.site.values)
        self.people = []
        for setting, wide in enumerate(tables):
            y = np.full((len(wide), len(self.outcomes)), np.nan)
            for column in wide.columns[3:]:
                value = wide[column].to_numpy()
                reference = value[wide["x1"] < 0]
                k = self.outcomes.index((column[0], column[1] or ""))
                y[:, k] = (value - np.nanmean(reference)) / np.nanstd(reference, ddof=1)
            for i in np.flatnonzero(~np.isnan(y).all(axis=1)):
                site = self.sites.index(f"{self.settings[setting]}-org-{wide['site'][i]}")
                x = np.array([1, wide["x1"][i], wide["x2"][i]])
                self.people.append((setting, site, x, y[i]))

    def beta(self, at: Values, labels: Mapping[str, list[str]], j: int, p: int, k: int) -> float:
        """Population mean, the levels of the setting and the contrasts of sector and vignette."""
        name, (construct, vignette) = self.exposures[p], self.outcomes[k]
        c = OUTCOMES.index(construct)
        sector = 0.5 if self.settings[j] == "c" else -0.5
        told = 0.5 if vignette else -0.5
        return (
            at["mu"][labels["mu"].index(name), c]
            + at["level"][labels["level"].index(f"{name} study {self.settings[j]}"), c]
            + sector * at["difference"][labels["difference"].index(f"{name} sector"), c]
            + told * at["difference"][labels["difference"].index(f"{name} vignette"), c]
        )

    def density(self, at: Values, labels: Mapping[str, list[str]]) -> float:
        total = 0.0
        for name, scale in (("mu", "effect"), ("difference", "effect"), ("baseline", "baseline")):
            total += norm.logpdf(at[name], scale=SCALES[scale]).sum()
        for name, scale in (("tau", "tau"), ("site_tau", "tau")):
            total += halfnorm.logpdf(at[name], scale=SCALES[scale]).sum()
        total += lognorm.logpdf(at["sigma"], SCALES["sigma"]).sum()
        total += norm.logpdf(at["level_z"]).sum()
        for name in ("construct_chol", "vignette_chol"):  # det(R)^(eta - 1) of a 2 x 2 matrix
            total += (SCALES["correlation"] - 1) * np.log(1 - at[name][1, 0] ** 2)
        if "site_effect_z" in at:
            total += norm.logpdf(at["site_effect_z"]).sum()
        own = np.array(
            [
                [
                    at["baseline"][j],
                    *([self.beta(at, labels, j, p, k) for k in range(4)] for p in range(2)),
                ]
                for j in range(3)
            ]
        )
        clustered = labels["clustered_site"]
        if "site_effect_z" not in at:
            total += norm.logpdf(at["site_effect"], own[0], at["site_tau"]).sum()
        for setting, site, x, y in self.people:
            name = self.sites[site]
            b = at["site_effect"][clustered.index(name)] if name in clustered else own[setting]
            correlation = np.kron(*(at[n] @ at[n].T for n in ("construct_chol", "vignette_chol")))
            covariance = np.outer(at["sigma"][setting], at["sigma"][setting]) * correlation
            seen = ~np.isnan(y)
            total += multivariate_normal.logpdf(
                y[seen], (x @ b)[seen], covariance[np.ix_(seen, seen)]
            )
        return float(total)


@pytest.mark.parametrize("centred", [True, False], ids=["centred", "not centred"])
def test_the_model_of_answers_is_that_of_its_respondents(
    centred: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_model, "informed", lambda *_: centred)
    studies, tables = three_studies()
    cells = answer_cells(studies, "threat", VOCABULARY)
    model = answers_model.build(cells, PRIORS)
    rows = Rows(cells, tables)
    labels = {n: list(model.coords[f"{n}_of"]) for n in ("mu", "level", "difference")}
    labels["clustered_site"] = list(model.coords["clustered_site"])
    assert labels["clustered_site"] == [f"a-org-{s}" for s in range(4)], "two sites are too few"
    assert_same_up_to_a_constant(model, lambda at: rows.density(at, labels))


# --- codings -------------------------------------------------------------------------------------

CODES = ["role_change", "uncertainty", "management_support"]
ORGANISATIONS = {  # arrangement, country, sector, interviews
    "org-a": ("state_policy", "GB-SCT", "social_care", 3),
    "org-b": ("state_policy", "GB-SCT", "elderly_care", 2),
    "org-c": ("org_mission", "US", "human_services", 3),
    "org-d": ("org_mission", "US", "social_care", 1),
}


def interviews() -> tuple[Study, list[tuple[str, int, tuple[bool, ...]]]]:
    """A study, and its readings one by one: organisation, code, what each coder said."""
    rng = np.random.default_rng(12)
    talks, readings, about = [], [], []
    for org, (arrangement, country, sector, n) in ORGANISATIONS.items():
        for i in range(n):
            said = rng.random((1 + i % 2, len(CODES))) < 0.5
            talks.append(
                (
                    org,
                    {
                        f"coder-{k}": [c for c, hit in zip(CODES, row, strict=True) if hit]
                        for k, row in enumerate(said)
                    },
                )
            )
            readings += [(org, c, tuple(said[:, c])) for c in range(len(CODES))]
            about.append((arrangement, country, sector))
    columns = dict(zip(("arrangement", "country", "sector"), zip(*about, strict=True), strict=True))
    study = coding_study(
        "talks",
        talks,
        CODES,
        [{"attribute": "arrangement", "type": "organisational"}],
        **{name: list(values) for name, values in columns.items()},
    )
    return study, readings


def test_the_model_of_codings_is_that_of_its_interviews() -> None:
    study, readings = interviews()
    cells = code_cells([study], "strain", VOCABULARY)
    model = codings_model.build(cells, PRIORS)
    organisations, families = list(cells.organisation.values), [0, 0, 1]
    levels = list(model.coords["level_of"])
    assert list(model.coords["tau_of"]) == ["sector"], "country is the arrangement"

    def density(at: Values) -> float:
        total = norm.logpdf(at["prevalence"], scale=SCALES["prevalence"]).sum()
        total += halfnorm.logpdf(at["prevalence_tau"], scale=SCALES["prevalence"])
        total += norm.logpdf(at["contrast"], scale=SCALES["effect_logit"]).sum()
        for name in ("tau", "code_tau", "organisation_tau", "organisation_code_tau"):
            total += np.sum(halfnorm.logpdf(at[name], scale=SCALES["tau_logit"]))
        for name in ("alpha_z", "gamma_z", "organisation_z", "organisation_code_z", "level_z"):
            total += norm.logpdf(at[name]).sum()
        for name in ("sensitivity", "specificity"):
            share = 2 * at[name] - 1
            total += beta_distribution.logpdf(share, SCALES["accuracy_a"], SCALES["accuracy_b"])
        for org, c, said in readings:
            o = organisations.index(org)
            arrangement, _, sector, _ = ORGANISATIONS[org]
            alpha = at["prevalence"][families[c]] + at["prevalence_tau"] * at["alpha_z"][c]
            gamma = at["contrast"][families[c], 0] + at["code_tau"][0] * at["gamma_z"][c, 0]
            p = expit(
                alpha
                + gamma * (0.5 if arrangement == "org_mission" else -0.5)
                + at["tau"][0] * at["level_z"][levels.index(f"sector {sector}")]
                + at["organisation_tau"] * at["organisation_z"][o]
                + at["organisation_code_tau"] * at["organisation_code_z"][o * len(CODES) + c]
            )
            s, t = at["sensitivity"], at["specificity"]
            present = np.prod([s if hit else 1 - s for hit in said])
            absent = np.prod([1 - t if hit else t for hit in said])
            total += np.log(p * present + (1 - p) * absent)
        return float(total)

    assert_same_up_to_a_constant(model, density)


def kinds(model: Any) -> set[str]:
    return {v.name for v in model.free_RVs}


def test_without_an_organisational_exposure_there_is_no_contrast() -> None:
    study, _ = interviews()
    study.report["exposures"] = []
    model = codings_model.build(code_cells([study], "strain", VOCABULARY), PRIORS)
    assert not {"contrast", "code_tau", "gamma_z"} & kinds(model)
    assert "difference" in kinds(model), "two countries are then a contrast"


SHARED = ["uncertainty", "empowered_citizens"]  # one code of the other study, one of its own


def cases() -> tuple[Study, list[tuple[str, str, int, tuple[bool, ...]]]]:
    """A second study in another country: two initiatives in which people of two roles spoke."""
    rng = np.random.default_rng(3)
    talks, readings, roles = [], [], []
    for site in ("site-a", "site-b"):
        for role in ("professional", "citizen_coproducer", "citizen_coproducer"):
            said = rng.random(len(SHARED)) < 0.5
            talks.append(
                (site, {"coder-9": [c for c, hit in zip(SHARED, said, strict=True) if hit]})
            )
            readings += [(site, role, c, (bool(said[c]),)) for c in range(len(SHARED))]
            roles.append(role)
    exposures = [{"attribute": "role", "type": "measured"}]
    study = coding_study("cases", talks, SHARED, exposures, role=roles, country=["FI"] * len(roles))
    return study, readings


def test_codes_that_two_studies_looked_for_pool_across_them() -> None:
    (one, first), (two, second) = interviews(), cases()
    cells = code_cells([two, one], "strain", VOCABULARY)
    model = codings_model.build(cells, PRIORS)
    codes, units = list(cells.code.values), list(cells.organisation.values)
    assert set(codes) == {*CODES, *SHARED}
    assert list(cells.exposure.values) == ["role_measured", "arrangement_organisational"]
    assert cells.sizes["organisation"] == 8, "four organisations, and two of two roles each"
    assert len(model.coords["site"]) == 6
    terms = list(model.coords["level_of"])
    assert {str(name).split()[0] for name in terms} == {"sector"}
    assert list(model.coords["difference_of"]) == ["study"], "country is the study, then"
    rows = [
        ("talks", org, org, (0.0, 0.5 if ORGANISATIONS[org][0] == "org_mission" else -0.5),
         ORGANISATIONS[org][2], CODES[c], said)
        for org, c, said in first
    ] + [
        ("cases", f"{site}:{role}", site, (0.5 if role == "citizen_coproducer" else -0.5, 0.0),
         str(cells.sector.sel(organisation=f"{site}:{role}").values), SHARED[c], said)
        for site, role, c, said in second
    ]  # fmt: skip
    family = [list(cells.family.values).index(f) for f in cells.family_of.values]
    studies, sites = list(model.coords["study"]), list(model.coords["site"])
    pairs = sorted({(units.index(unit), codes.index(code)) for _, unit, *_, code, _ in rows})

    def density(at: Values) -> float:
        total = norm.logpdf(at["prevalence"], scale=SCALES["prevalence"]).sum()
        total += halfnorm.logpdf(at["prevalence_tau"], scale=SCALES["prevalence"])
        for name in ("contrast", "difference"):
            total += norm.logpdf(at[name], scale=SCALES["effect_logit"]).sum()
        for name in (
            *("tau", "code_tau", "study_code_tau", "organisation_tau"),
            "organisation_code_tau",
        ):
            total += np.sum(halfnorm.logpdf(at[name], scale=SCALES["tau_logit"]))
        for name in (
            *("alpha_z", "gamma_z", "study_code_z", "organisation_z", "organisation_code_z"),
            "level_z",
        ):
            total += norm.logpdf(at[name]).sum()
        for name in ("sensitivity", "specificity"):
            share = 2 * at[name] - 1
            total += beta_distribution.logpdf(share, SCALES["accuracy_a"], SCALES["accuracy_b"])
        s, t = at["sensitivity"], at["specificity"]
        for study, unit, site, x, sector, code, said in rows:
            c, o = codes.index(code), units.index(unit)
            gamma = at["contrast"][family[c]] + at["code_tau"] * at["gamma_z"][c]
            own = at["study_code_tau"] * at["study_code_z"][studies.index(study), c]
            p = expit(
                at["prevalence"][family[c]]
                + at["prevalence_tau"] * at["alpha_z"][c]
                + gamma @ np.array(x)
                + (own if code == "uncertainty" else 0)
                + at["difference"][0] * (studies.index(study) - 0.5)
                + at["tau"][0] * at["level_z"][terms.index(f"sector {sector}")]
                + at["organisation_tau"] * at["organisation_z"][sites.index(site)]
                + at["organisation_code_tau"] * at["organisation_code_z"][pairs.index((o, c))]
            )
            present = np.prod([s if hit else 1 - s for hit in said])
            absent = np.prod([1 - t if hit else t for hit in said])
            total += np.log(p * present + (1 - p) * absent)
        return float(total)

    assert_same_up_to_a_constant(model, density)
