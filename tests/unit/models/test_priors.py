"""A prior is one object: what is said in one place is followed by model, table, figure and text."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
import yaml
from scipy import stats

from helpers.evidence import evidence
from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.article.make import table, variables
from metastudy.article.results import Results
from metastudy.article.topics import heterogeneity as topic
from metastudy.article.variable_tree import flat
from metastudy.common.problems import BadInput
from metastudy.config import checked
from metastudy.models.answers import model as answers_model
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.design import answer_design
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import pack
from metastudy.models.priors import KEYS, Prior, priors_of
from metastudy.models.registry import MODELS
from metastudy.posterior.heterogeneity import heterogeneity, taus
from metastudy.synthesis.priors import prior_of as of_synthesis

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
HALF_T = {"family": "half_t", "scale": 0.25, "df": 4}
MODE = pytensor.Mode("py", "fast_compile")
X = np.array([0.05, 0.3, 0.9])


class HalfT:
    """The half-t in SciPy, which has none: the absolute value of a t."""

    def __init__(self, scale: float, df: float) -> None:
        self.whole = stats.t(df, scale=scale)

    def logpdf(self, x: np.ndarray) -> np.ndarray:
        return np.log(2) + self.whole.logpdf(x)

    def ppf(self, p: float) -> float:
        return float(self.whole.ppf((1 + p) / 2))

    def moment(self, power: int) -> float:
        return float(2 * self.whole.expect(lambda x: x**power, lb=0))


PRIORS = {
    "normal": (Prior("normal", {"scale": 0.5}), stats.norm(scale=0.5)),
    "student_t": (
        Prior("student_t", {"scale": 0.5, "df": 5}),
        stats.t(5, scale=0.5),
    ),
    "half_normal": (Prior("half_normal", {"scale": 0.3}), stats.halfnorm(scale=0.3)),
    "half_t": (Prior("half_t", {"scale": 0.25, "df": 4}), HalfT(0.25, 4)),
    "exponential": (Prior("exponential", {"scale": 0.3}), stats.expon(scale=0.3)),
    "log_normal": (Prior("log_normal", {"scale": 0.5}), stats.lognorm(0.5)),
    "beta_above_half": (
        Prior("beta_above_half", {"a": 6.0, "b": 2.0}),
        stats.beta(6, 2, loc=0.5, scale=0.5),
    ),
}


@pytest.mark.parametrize("family", PRIORS)
def test_a_prior_is_the_same_in_the_model_and_beside_the_posterior(family: str) -> None:
    prior, scipy = PRIORS[family]
    if isinstance(scipy, HalfT):
        mean = scipy.moment(1)
        sd = (scipy.moment(2) - mean**2) ** 0.5
    else:
        mean, sd = scipy.mean(), scipy.std()
    assert (prior.mean, prior.sd) == pytest.approx((mean, sd), rel=1e-6)
    assert prior.interval(0.9) == pytest.approx((scipy.ppf(0.05), scipy.ppf(0.95)))
    with pm.Model() as model:
        variable = prior.variable("x")
    if family == "beta_above_half":
        drawn = pm.draw(variable, 4000, random_seed=1, mode=MODE)
        assert stats.kstest(drawn, scipy.cdf).pvalue > 0.01
        return
    found = pm.logp(model["x"], X).eval(mode=MODE)
    np.testing.assert_allclose(found, scipy.logpdf(X), rtol=1e-6)


def test_the_moments_of_the_shipped_families_are_those_of_their_formulas_to_the_last_bit() -> None:
    for scale in (0.3, 0.5, 1.5):
        prior = Prior("half_normal", {"scale": scale})
        assert prior.mean == scale * np.sqrt(2 / np.pi)
        assert prior.sd == scale * np.sqrt(1 - 2 / np.pi)


def test_a_number_means_what_it_meant_and_a_mapping_names_another_family() -> None:
    found = priors_of(CONFIG["priors"])
    assert set(found) == {*KEYS, "accuracy"}
    assert found["tau"] == Prior("half_normal", {"scale": 0.3})
    assert found["outcomes"] == Prior("half_normal", {"scale": 0.3})
    assert found["effect"] == Prior("student_t", {"scale": 0.5, "df": 2.5})
    assert found["accuracy"].numbers == {"a": 6.0, "b": 2.0}
    assert priors_of({"tau": HALF_T})["tau"].label == "half-t (4 degrees of freedom), scale 0.25"
    assert found["tau"].label == "half-normal, scale 0.3"
    assert found["tau"].scaled(2).label == "half-normal, scale 0.6"
    assert found["prevalence"].half() == Prior("half_normal", {"scale": 1.5})


def test_what_a_prior_does_not_have_is_refused_in_words() -> None:
    found = priors_of(CONFIG["priors"])
    with pytest.raises(ValueError, match="without a scale: LKJ, shape 2"):
        found["correlation"].scaled(2)
    with pytest.raises(ValueError, match="no distribution of one number"):
        found["correlation"].interval(0.9)
    with pytest.raises(ValueError, match="cannot be centred"):
        found["tau"].variable("tau", centre=1.0)


@pytest.mark.parametrize(
    ("key", "said", "told"),
    [
        ("tau", {"family": "half_t", "scale": 0.25}, "'df' is needed here"),
        ("tau", {"family": "half_normal", "scale": 0.25, "df": 4}, "found:    'df'"),
        ("tau", {"family": "normal", "scale": 0.25}, "priors.tau.family"),
        ("tau", {"scale": 0.25}, "'family' is needed here"),
        ("tau", 0, "priors.tau"),
        ("tau", {"family": "half_t", "scale": 0.25, "df": 2}, "priors.tau.df"),
        ("effect", {"family": "half_normal", "scale": 0.25}, "priors.effect.family"),
        ("sigma", {"family": "log_normal", "scale": 0.25}, "value of type number"),
    ],
)
def test_a_prior_that_makes_no_sense_is_refused_by_its_key(key: str, said: Any, told: str) -> None:
    with pytest.raises(BadInput) as error:
        checked(with_priors(**{key: said}))
    assert told in str(error.value)
    assert checked(with_priors(tau=HALF_T))["priors"]["tau"] == HALF_T
    as_text = {"family": "half_t", "scale": "0.25", "df": "4"}
    assert checked(with_priors(tau=as_text))["priors"]["tau"] == HALF_T


def with_priors(**said: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    config["priors"] |= said
    return config


# --- every parameter of a model has the prior that its mapping says -------------------------------


def cells_of_answers() -> xr.Dataset:
    places = (("DK", "social_care"), ("FI", "elderly_care"), ("US", "social_care"))
    studies = [
        experiment(n, 30, s, sites=3, outcomes=["threat_quality", "threat_job"],
                   country=country, sector=sector)[0]
        for s, (n, (country, sector)) in enumerate(zip("abc", places, strict=True))
    ]  # fmt: skip
    return answer_cells(studies, "threat", VOCABULARY)


def cells_of_codings() -> xr.Dataset:
    codes = ["role_change", "uncertainty", "management_support"]
    arrangement = ["org_mission", "org_mission", "state_policy", "state_policy"]
    talks = [(f"org-{at}", {"coder-1": codes[at % 2 :], "coder-2": codes[:2]}) for at in range(4)]
    exposure = [{"attribute": "arrangement", "type": "organisational"}]
    both = [
        coding_study(name, talks, codes, exposure, arrangement=arrangement)
        for name in ("one", "two")
    ]
    return code_cells(both, "strain", VOCABULARY)


OTHER = {
    "effect": {"family": "student_t", "scale": 0.4, "df": 5},
    "effect_logit": {"family": "student_t", "scale": 0.7, "df": 6},
    "prevalence": {"family": "student_t", "scale": 1.2, "df": 3},
    "tau": HALF_T,
    "tau_logit": {"family": "exponential", "scale": 0.4},
}


@pytest.mark.parametrize("kind", ["answers", "codings"])
@pytest.mark.parametrize("other", [{}, OTHER], ids=["as shipped", "other families"])
def test_every_parameter_of_a_model_has_the_prior_that_is_shown_for_it(
    kind: str, other: dict[str, Any]
) -> None:
    priors = priors_of(CONFIG["priors"] | other)
    build = {"answers": answers_model.build, "codings": codings_model.build}[kind]
    cells = cells_of_answers() if kind == "answers" else cells_of_codings()
    model = build(cells, priors)
    own = {
        v.name: v
        for v in model.free_RVs
        if v.name.endswith("_tau") or v.name in ("family_mean", "mu_alone", "contrast")
    }
    assert len(own) >= 3
    drawn = pm.draw([model["log_prior"], *own.values()], random_seed=3, mode=MODE)
    total, size = 0.0, 0.0
    for (name, variable), at in zip(own.items(), drawn[1:], strict=True):
        with pm.Model() as alone:
            shown = {"family_mean": "mu", "mu_alone": "mu"}.get(name, name)
            MODELS[kind].prior_of(priors, shown).variable(name)
        want = pm.logp(alone[name], at).eval(mode=MODE)
        np.testing.assert_allclose(pm.logp(variable, at).eval(mode=MODE), want, rtol=1e-6)
        total, size = total + want.sum(), size + np.abs(want).sum()
    # Summands of both signs: as near to the sum as each of them is to its own.
    assert float(drawn[0]) == pytest.approx(total, abs=1e-6 * size), (
        "power-scaling raises just these to a power"
    )


def test_a_refit_gives_a_model_of_another_family_its_own_numbers() -> None:
    cells = cells_of_answers()
    priors = priors_of({**CONFIG["priors"], "tau": HALF_T})
    twice = priors | {"tau": priors["tau"].scaled(2)}
    model = answers_model.build(cells, priors)
    one, two = (pack(cells, each) for each in (priors, twice))
    assert list(one[one != two]) == [0.25]
    assert list(two[one != two]) == [0.5]
    compiled = pytensor.function([], pm.logp(model["total_tau"], 0.3), mode=MODE)
    for given, scale in ((one, 0.25), (two, 0.5)):
        model["given"].set_value(given)
        np.testing.assert_allclose(compiled(), HalfT(scale, 4).logpdf(np.array(0.3)))


# --- one place: the configuration -----------------------------------------------------------------


def two_studies() -> xr.Dataset:
    """One outcome in two studies: what varies is one component of each of two exposures."""
    studies = [
        experiment(name, 30, seed, outcomes=["threat_job"], country=country)[0]
        for seed, (name, country) in enumerate((("a", "DK"), ("b", "FI")))
    ]
    return answer_cells(studies, "threat", VOCABULARY)


def posterior(cells: xr.Dataset) -> xr.DataTree:
    rng = np.random.default_rng(2)
    names = list(answer_design(cells).components)
    draws = xr.Dataset(
        {"tau": (("chain", "draw", "tau_of"), np.abs(rng.normal(size=(2, 50, len(names)))))},
        {"tau_of": names},
    )
    return xr.DataTree.from_dict({"posterior": draws})


def shown(section: dict[str, Any]) -> tuple[pd.DataFrame, Results]:
    """The table of heterogeneity of a posterior, and the article's evidence with it."""
    cells = two_studies()
    found = heterogeneity(cells, posterior(cells), priors_of(section), 0.95)
    world = evidence("all")
    settings = {**world.settings, "priors": section}
    return found, replace(world, heterogeneity={"threat": found}, synthesis={}, settings=settings)


@pytest.mark.parametrize(
    ("tau", "prior", "words"),
    [
        (0.3, stats.halfnorm(scale=0.3), "half-normal"),
        (HALF_T, HalfT(0.25, 4), "half-t (4 degrees of freedom)"),
    ],
    ids=["half-normal", "half-t"],
)
def test_another_family_in_the_configuration_is_another_in_figure_table_and_text(
    tau: Any, prior: Any, words: str
) -> None:
    rows, world = shown({**CONFIG["priors"], "tau": tau})
    assert list(rows["parameter"]) == [
        f"tau[{exposure}_randomised study+country+setting, threat_job]"
        for exposure in ("task_type", "involvement_degree")
    ]
    assert all(said.startswith(f"{words}, scale") for said in rows["prior"])
    mean = prior.moment(1) if isinstance(prior, HalfT) else prior.mean()
    lower, upper = prior.ppf(0.025), prior.ppf(0.975)
    assert rows["prior_mean"].to_list() == pytest.approx([mean, mean])
    np.testing.assert_allclose(rows["ratio"] * rows["prior_sd"], rows["sd"])

    drawn = topic.figure(world)
    drawn = drawn[drawn["series"] == "Prior"]
    assert len(drawn) == 2
    for column, value in (("estimate", mean), ("lower", lower), ("upper", upper)):
        assert drawn[column].to_list() == pytest.approx([value, value]), column

    printed = table(world, "heterogeneity")
    assert set(printed.shown["Prior"]) == {f"{mean:.2f} ({lower:.2f} to {upper:.2f})"}
    assert printed.full["prior_upper"].to_list() == pytest.approx([upper, upper])

    said = flat(variables(world, {}))
    assert said["settings.prior_families.tau"] == words
    assert said["settings.priors.tau"] == ("0.3" if tau == 0.3 else "0.25")
    own = [key for key in said if key.startswith("heterogeneity.threat.tau_task_type")]
    assert {said[key] for key in own if key.endswith(".prior")} == {f"{mean:.2f}"}
    assert {said[key] for key in own if key.endswith(".law")} == {rows["prior"].iloc[0]}


def test_the_text_names_no_family_that_the_configuration_could_change() -> None:
    text = "".join(path.read_text("utf-8") for path in (ROOT / "manuscript").glob("*.qmd"))
    assert "half-normal" not in text
    assert "{{< var settings.prior_families.tau >}}" in text
    _, world = shown({**CONFIG["priors"], "effect": OTHER["effect"]})
    assert flat(variables(world, {}))["settings.prior_laws.effect"] == (
        r"$\mu \sim t_{5}(0, s_{\mu}^2)$"
    )
    _, world = shown({**CONFIG["priors"], "effect": 0.5})
    assert flat(variables(world, {}))["settings.prior_laws.effect"] == (
        r"$\mu \sim \mathcal{N}(0, s_{\mu}^2)$"
    )


def test_a_second_stage_in_log_odds_is_shown_beside_its_own_prior() -> None:
    priors, world = priors_of(CONFIG["priors"]), evidence("all", 2)
    draws = xr.Dataset(
        {"tau": (("chain", "draw", "tau_of"), np.random.default_rng(1).random((2, 50, 1)))},
        {"tau_of": ["a study"]},
    )
    row = world.synthesis["heterogeneity"].iloc[0].to_dict()
    for metric, key in (("log_odds", "tau_logit"), ("sd", "tau")):
        prior_of = partial(of_synthesis, priors, metric=metric)
        table_ = taus(draws, prior_of, {"a study": 1}, 0.95).assign(variant="pooled")
        upper = stats.halfnorm(scale=CONFIG["priors"][key]).ppf(0.975)
        assert table_["prior_upper"].to_list() == pytest.approx([upper]), metric
        spread = pd.DataFrame([row | table_.iloc[0].to_dict()])
        stages = {**world.synthesis, "heterogeneity": spread}
        drawn = topic.figure(replace(world, heterogeneity={}, synthesis=stages))
        assert drawn.loc[drawn["series"] == "Prior", "upper"].to_list() == pytest.approx([upper])


def test_reading_a_prior_imports_no_pymc() -> None:
    code = (
        "import sys; from metastudy.models.registry import MODELS;"
        "from metastudy.models.priors import priors_of;"
        "prior = MODELS['codings'].prior_of(priors_of({'tau_logit': 1}), 'code_tau[x]');"
        "print(prior.interval(0.9));"
        "sys.exit('pymc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "workflow", check=False)
    assert done.returncode == 0
