"""The whole model on cells is the model on rows: its density, equation by equation, in NumPy."""

from __future__ import annotations

from collections import Counter
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
from scipy.stats import chi2, halfnorm, lognorm, multivariate_normal, norm
from scipy.stats import t as student_t

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.standard_units import degrees_of_freedom, in_standard_units
from metastudy.harmonized.study import Study
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.priors import priors_of

SCALES: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))[
    "priors"
]
PRIORS = priors_of(SCALES)


def law(key: str) -> Any:
    """The shipped prior of a key in SciPy."""
    said = SCALES[key]
    if isinstance(said, dict):
        assert said["family"] == "student_t"
        return student_t(said["df"], scale=said["scale"])
    half = key in ("tau", "tau_logit", "outcomes")
    return (halfnorm if half else norm)(scale=said)


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


def of_log_sd(df: int) -> tuple[float, float]:
    """Mean and SD of the logarithm of a true SD over its estimate by Hedges, integrated."""
    known = chi2(df)
    mean, square = (known.expect(lambda w, at=at: (-np.log(w / df) / 2) ** at) for at in (1, 2))
    return mean + np.log(1 - 3 / (4 * df - 1)), np.sqrt(square - mean**2)


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
        # Of the logarithm of a standardiser, mean and SD; any numbers where nobody was asked.
        self.log_standardiser = np.tile(of_log_sd(2), (3, 4, 1))
        for setting, wide in enumerate(tables):
            y = np.full((len(wide), len(self.outcomes)), np.nan)
            answered = ~np.isnan(wide[list(wide.columns[3:])].to_numpy()).all(axis=1)
            for column in wide.columns[3:]:
                k = self.outcomes.index((column[0], column[1] or ""))
                own = wide.loc[answered, [column]].to_numpy()[:, 0]
                arms = wide.loc[answered, ["x1", "x2"]].to_numpy()
                y[answered, k] = in_standard_units(own, arms)
                df = degrees_of_freedom(own, arms)
                self.log_standardiser[setting, k] = of_log_sd(df)
            for i in np.flatnonzero(answered):
                site = self.sites.index(f"{self.settings[setting]}-org-{wide['site'][i]}")
                x = np.array([1, wide["x1"][i], wide["x2"][i]])
                self.people.append((setting, site, x, y[i]))
        self.asked = {(j, k) for j, *_, y in self.people for k in np.flatnonzero(~np.isnan(y))}

    def levels(self, labels: Mapping[str, list[str]], j: int, p: int, k: int) -> dict[str, str]:
        """The levels that an effect is made of, by component, in the order of the model."""
        name, (construct, vignette) = self.exposures[p], self.outcomes[k]
        sector = "social_care" if self.settings[j] == "c" else "elderly_care"
        # The three settings have one component of three names, and its levels are theirs.
        head = f"{name} study+country+setting, {construct}: "
        return {
            "setting": [n for n in labels["level"] if n.startswith(head)][j],
            "sector": f"{name} sector, {construct}: {sector}",
            "vignette": f"{name} vignette, {construct}: {vignette}",
        }

    def beta(self, at: Values, labels: Mapping[str, list[str]], j: int, p: int, k: int) -> float:
        """The outcome's mean in its family, and the levels of setting, sector and vignette."""
        if (j, k) not in self.asked:
            return 0.0
        estimand = f"{self.exposures[p]}, {self.outcomes[k][0]}, professional"
        mean = at["mu_z"][labels["estimand"].index(estimand)]
        mine = self.levels(labels, j, p, k).values()
        return float(mean + sum(at["level"][labels["level"].index(level)] for level in mine))

    def effects(self, at: Values, labels: Mapping[str, list[str]]) -> float:
        """Density of means and levels; what one effect has for itself is sampled as that effect."""
        total = 0.0
        for e, estimand in enumerate(labels["estimand"]):
            name = estimand.partition(",")[0]
            family = labels["family"].index(f"{name}, perceived_threat, professional")
            # Threats point one way, all with the sign +1.
            mean, sd = at["family_mean"][family], at["outcome_tau"][family]
            total += norm.logpdf(at["mu_z"][e], mean, sd)
        sd, used = {}, []
        for j, k in self.asked:
            for p, name in enumerate(self.exposures):
                mine, construct = self.levels(labels, j, p, k), self.outcomes[k][0]
                of = labels["total"].index(f"{name}, {construct}")
                shared = at["total_tau"][of] * np.sqrt(at["share_of_2"][of])
                own = at["apart_tau"][labels["apart"].index(f"{name} vignette, {construct}")]
                sd |= dict(zip(mine.values(), (*shared, own), strict=True))
                used.append(list(mine.values()))
        alone = {n for n, count in Counter(n for row in used for n in row).items() if count == 1}
        own = {[n for n in row if n in alone][-1] for row in used if alone & set(row)}
        assert 0 < len(own) < len(sd) == len(labels["level"])
        for level in own:
            total += norm.logpdf(at["level"][labels["level"].index(level)], 0, sd[level])
        return float(total + norm.logpdf(at["level_z"]).sum())

    def density(self, at: Values, labels: Mapping[str, list[str]]) -> float:
        total = law("effect").logpdf(at["family_mean"]).sum() + self.effects(at, labels)
        total += law("outcomes").logpdf(at["outcome_tau"]).sum()
        total += law("baseline").logpdf(at["baseline"]).sum()
        for name in ("total_tau", "apart_tau", "site_tau"):
            total += law("tau").logpdf(at[name]).sum()
        total += lognorm.logpdf(at["sigma"], SCALES["sigma"]).sum()
        kappa = at["standardiser"]
        mean, sd = np.moveaxis(self.log_standardiser, -1, 0)
        total += lognorm.logpdf(kappa, sd, scale=np.exp(mean)).sum()
        for name in ("construct_chol", "vignette_chol"):  # det(R)^(eta - 1) of a 2 x 2 matrix
            total += (SCALES["correlation"] - 1) * np.log(1 - at[name][1, 0] ** 2)
        if "site_effect_z" in at:
            total += norm.logpdf(at["site_effect_z"]).sum()
        own = np.array(
            [
                [
                    at["baseline"][j],
                    *(
                        [kappa[j, k] * self.beta(at, labels, j, p, k) for k in range(4)]
                        for p in range(2)
                    ),
                ]
                for j in range(3)
            ]
        )
        correlation = np.kron(*(at[n] @ at[n].T for n in ("construct_chol", "vignette_chol")))
        residual = [np.outer(sigma, sigma) * correlation for sigma in at["sigma"]]
        if "site_effect_z" not in at:
            setting = [self.settings.index(name[0]) for name in labels["clustered_site"]]
            # Sites differ by so many true standard deviations, intercepts among them.
            spread = kappa[setting][:, None, :] * at["site_tau"]
            total += norm.logpdf(at["site_effect"], own[setting], spread).sum()
        for setting, site, x, y in self.people:
            b = at["site_effect"][labels["clustered_site"].index(self.sites[site])]
            seen = ~np.isnan(y)
            covariance = residual[setting][np.ix_(seen, seen)]
            total += multivariate_normal.logpdf(y[seen], (x @ b)[seen], covariance)
        return float(total)


@pytest.mark.parametrize("form", ["centred", "not centred"])
def test_the_model_of_answers_is_that_of_its_respondents(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two ways to write the effects of sites, and one density of the same rows."""
    monkeypatch.setattr(answers_model, "informed", lambda *_: form == "centred")
    studies, tables = three_studies()
    cells = answer_cells(studies, "threat", VOCABULARY)
    model = answers_model.build(cells, PRIORS)
    rows = Rows(cells, tables)
    coords = {"estimand": "estimand", "family": "family_of", "total": "total_of"}
    coords |= {"apart": "apart_of", "level": "level_of"}
    labels = {short: list(model.coords[name]) for short, name in coords.items()}
    assert list(model.coords["directed_family"]) == labels["family"]
    assert list(model.coords["tau_of"])[:3] == [
        f"task_type_randomised {component}, threat_quality"
        for component in ("study+country+setting", "sector", "vignette")
    ]
    labels["clustered_site"] = list(model.coords["clustered_site"])
    assert labels["clustered_site"] == rows.sites, "those of a setting of one site, too"
    assert_same_up_to_a_constant(model, lambda at: rows.density(at, labels))


# --- codings -------------------------------------------------------------------------------------

CODES = ["role_change", "uncertainty", "management_support"]
ORGANISATIONS = {  # arrangement, country, sector, interviews
    "org-a": ("state_policy", "GB-SCT", "social_care", 3),
    "org-b": ("state_policy", "GB-SCT", "elderly_care", 2),
    "org-c": ("org_mission", "US", "human_services", 3),
    "org-d": ("org_mission", "US", "social_care", 1),
    "org-e": ("org_mission", "US", "human_services", 1),
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
        total = law("prevalence").logpdf(at["prevalence"]).sum()
        total += halfnorm.logpdf(at["prevalence_tau"], scale=SCALES["prevalence"])
        total += law("effect_logit").logpdf(at["contrast"]).sum()
        for name in (
            *("total_tau", "own_tau", "code_tau", "organisation_tau"),
            "organisation_code_tau",
        ):
            total += np.sum(law("tau_logit").logpdf(at[name]))
        for name in (
            *("alpha_z", "gamma_z", "organisation_z", "organisation_code_z", "level_z"),
            "own_z",
        ):
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
                + at["total_tau"][0] * at["level_z"][levels.index(f"sector: {sector}"), families[c]]
                + at["own_tau"][0] * at["own_z"][levels.index(f"sector: {sector}") * len(CODES) + c]
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
    assert list(model.coords["tau_of"]) == ["country", "sector"], "two countries are a spread then"


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
    assert cells.sizes["organisation"] == 9, "five organisations, and two of two roles each"
    assert len(model.coords["site"]) == 7
    terms = list(model.coords["level_of"])
    assert list(model.coords["tau_of"]) == ["study+country", "sector"]
    assert terms[:2] == ["study+country: cases", "study+country: talks"], "the arrangement has more"
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
    sites = list(model.coords["site"])
    # A code's own part in a level: of what it was looked for in at two levels or more.
    looked = {
        (terms.index(f"{name}: {level}"), codes.index(code))
        for study, _, _, _, sector, code, _ in rows
        for name, level in (("study+country", study), ("sector", sector))
    }
    of_term = [0 if name.startswith("study") else 1 for name in terms]
    parts = sorted(
        (t, c)
        for t, c in looked
        if len({u for u, d in looked if d == c and of_term[u] == of_term[t]}) > 1
    )
    assert len(parts) < len(looked), "two codes were looked for in one study alone"
    pairs = sorted({(units.index(unit), codes.index(code)) for _, unit, *_, code, _ in rows})

    def density(at: Values) -> float:
        total = law("prevalence").logpdf(at["prevalence"]).sum()
        total += halfnorm.logpdf(at["prevalence_tau"], scale=SCALES["prevalence"])
        total += law("effect_logit").logpdf(at["contrast"]).sum()
        for name in (
            *("total_tau", "own_tau", "code_tau", "organisation_tau"),
            "organisation_code_tau",
        ):
            total += np.sum(law("tau_logit").logpdf(at[name]))
        for name in (
            *("alpha_z", "gamma_z", "own_z", "organisation_z", "organisation_code_z"),
            "level_z",
        ):
            total += norm.logpdf(at[name]).sum()
        for name in ("sensitivity", "specificity"):
            share = 2 * at[name] - 1
            total += beta_distribution.logpdf(share, SCALES["accuracy_a"], SCALES["accuracy_b"])
        s, t = at["sensitivity"], at["specificity"]
        spread = at["total_tau"][0] * np.sqrt(at["share_of_2"][0])  # of study and of sector
        for study, unit, site, x, sector, code, said in rows:
            c, o = codes.index(code), units.index(unit)
            gamma = at["contrast"][family[c]] + at["code_tau"] * at["gamma_z"][c]
            logit = at["prevalence"][family[c]] + at["prevalence_tau"] * at["alpha_z"][c]
            for name, level in (("study+country", study), ("sector", sector)):
                term = terms.index(f"{name}: {level}")
                of = of_term[term]
                logit += spread[of] * at["level_z"][term, family[c]]
                if (term, c) in parts:
                    logit += at["own_tau"][of] * at["own_z"][parts.index((term, c))]
            p = expit(
                logit
                + gamma @ np.array(x)
                + at["organisation_tau"] * at["organisation_z"][sites.index(site)]
                + at["organisation_code_tau"] * at["organisation_code_z"][pairs.index((o, c))]
            )
            present = np.prod([s if hit else 1 - s for hit in said])
            absent = np.prod([1 - t if hit else t for hit in said])
            total += np.log(p * present + (1 - p) * absent)
        return float(total)

    assert_same_up_to_a_constant(model, density)
