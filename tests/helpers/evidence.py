"""Small worlds for the tests of figures, tables and sentences: results as the phases write them.

A world says which effects there are; everything else is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml

from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.article.results import Modelled, Results
from metastudy.common import result_tables
from metastudy.design.new_settings import DECIDED
from metastudy.harmonized.study import Study
from metastudy.model_checks.left_out_organisations import ONE_EACH
from metastudy.model_checks.loo_comparison import COLUMNS as COMPARED
from metastudy.model_checks.power_scaling import POWER
from metastudy.model_checks.refits import REFITS
from metastudy.models.answers.differences import OTHER_STUDIES
from metastudy.posterior.contrasts import COLUMNS
from metastudy.synthesis.eligibility import STRUCTURE

SETTINGS = {
    "report": {
        "interval": 0.95,
        "clear": 0.975,
        "too_small": 0.95,
        "direction": 0.975,
        "prior_decides": 0.7,
        "rope_sd": 0.1,
        "rope_logit": 0.18,
    },
    "privacy": {"smallest_cell": 5},
    "sampling": {"chains": 4, "draws": 2000, "tune": 1000, "target_accept": 0.9, "seed": 1},
    "gates": {"rhat": 1.01},
    "priors": yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"],
}
OUTCOMES = ("threat_quality", "threat_profession", "threat_job", "work_motivation")
COPING = ("coping_avoidance", "coping_escalation", "coping_help_seeking")
CODES = ("role_change", "uncertainty", "accountability_ties", "management_support")
SECTORS = ("elderly_care", "human_services", "neighbourhood", "social_care", "temporary_use")
SMALL = 0.02  # an interval of this standard deviation fits into the region of equivalence
WIDE = 0.1

# What the worlds say of the outcomes, in turn: mean and standard deviation.
WORLDS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "null": ((0.0, WIDE), (0.05, WIDE), (-0.05, WIDE), (0.01, WIDE)),
    "reversed": ((-0.4, WIDE), (-0.3, WIDE), (0.1, WIDE), (-0.5, WIDE)),
    "all": ((0.4, WIDE), (0.3, WIDE), (0.5, WIDE), (0.6, WIDE)),
    "equivalence": ((0.0, SMALL), (0.01, SMALL), (0.03, SMALL), (-0.05, SMALL)),
    "mixed": ((0.3, WIDE), (-0.3, WIDE), (0.0, SMALL), (0.1, WIDE)),
    # Of two the sign is clear and the size open; the last is on the border of that.
    "open": ((0.22, WIDE), (-0.22, WIDE), (0.0, SMALL), (0.1962, WIDE)),
}
ESS = 100_000.0  # so that what is not meant to be on a border is not


def row(mean: float, sd: float, **more: Any) -> dict[str, Any]:
    """A row of contrasts with a normal posterior."""
    from statistics import NormalDist

    below = NormalDist(mean, sd).cdf(0)
    numbers = {"mean": mean, "sd": sd, "lower": mean - 1.96 * sd, "upper": mean + 1.96 * sd}
    empty = dict.fromkeys(COLUMNS, "") | {"variant": "main", "provenance": "simulated"}
    mcse = dict.fromkeys(("mcse", "mcse_lower", "mcse_upper"), sd / 50)
    half = {"sd": 0.1, "log_odds": 0.18}.get(str(more.get("metric")), float("nan"))
    inside = NormalDist(mean, sd).cdf(half) - NormalDist(mean, sd).cdf(-half)
    beyond = {
        "above": 1 - NormalDist(mean, sd).cdf(half),
        "below": NormalDist(mean, sd).cdf(-half),
        "positive": 1 - below,
        "ess": ESS,
    }
    found = empty | numbers | mcse | {"pd": max(below, 1 - below), "rope": inside} | beyond | more
    return {"id": "|".join(str(found[c]) for c in COLUMNS if found[c]), **found}


def threat(world: str, provenance: str = "simulated") -> pd.DataFrame:
    """One study, one vignette, one randomised exposure, four outcomes in two families."""
    rows = []
    for outcome, (mean, sd) in zip(OUTCOMES, WORLDS[world], strict=True):
        same = {
            "module": "threat", "estimand": "effect", "outcome": outcome, "provenance": provenance,
            "exposure": "task_type_randomised", "exposure_type": "randomised", "study": "first",
            "country": "DK", "sector": "elderly_care", "role": "professional",
        }  # fmt: skip
        own = {"level": "study", "group": "first", "vignette": "volunteers_at_work"}
        rows.append(row(mean, sd, **same, level="population", metric="sd"))
        rows.append(row(mean, sd, **same, **own, metric="sd"))
        rows.append(row(18 * mean, 18 * sd, **same, **own, metric="pomp"))
        level = {"module": "threat", "estimand": "mean", "outcome": outcome, "metric": "pomp"}
        rows.append(row(50 + 20 * mean, 1.0, **level, **own, study="first", provenance=provenance))
        if outcome != OUTCOMES[-1]:
            other = {"estimand": "difference", "level": "outcome", "against": "family"}
            rows.append(row(mean, sd, **same | other, metric="sd"))
    return pd.DataFrame(rows)


def coping(world: str) -> pd.DataFrame:
    """A measured exposure in two vignettes of one study, a randomised one in another study."""
    rows = []
    for outcome, (mean, sd) in zip(COPING, WORLDS[world], strict=False):
        for kind, study, vignettes in (
            ("measured", "second", ("user_vs_collective_value", "inclusion_vs_quality")),
            ("randomised", "third", ("user_vs_collective_value",)),
        ):
            same = {
                "module": "coping", "estimand": "effect", "outcome": outcome, "study": study,
                "exposure": f"external_efficacy_{kind}", "exposure_type": kind,
                "country": "BE-VLG", "sector": "temporary_use", "role": "citizen_coproducer",
            }  # fmt: skip
            rows.append(row(mean, sd, **same, level="population", metric="sd"))
            if kind == "measured":
                new = {"level": "new_country", "note": DECIDED}
                rows.append(row(mean, 3 * sd, **same, **new, metric="sd"))
                other = {"estimand": "difference", "level": "vignette", "vignette": vignettes[0]}
                other["against"] = vignettes[1]
                rows.append(row(mean, sd, **same | other, metric="sd"))
            else:
                other = {"estimand": "difference", "level": "exposure_type"}
                other |= {"against": "measured", "note": OTHER_STUDIES}
                rows.append(row(mean, sd, **same | other, metric="sd"))
            for at, vignette in enumerate(vignettes):
                own = {"level": "study", "group": study, "vignette": vignette}
                rows.append(row(mean + 0.01 * at, sd, **same, **own, metric="sd"))
                rows.append(row(20 * mean, 20 * sd, **same, **own, metric="pomp"))
                level = {"module": "coping", "estimand": "mean", "outcome": outcome}
                rows.append(row(40 + 10 * mean, 2.0, **level, **own, metric="pomp", study=study))
    return pd.DataFrame(rows)


def strain(world: str) -> pd.DataFrame:
    """Four codes in two families, two groups of organisations, with and without coders' errors."""
    rows = []
    effects = dict(zip(CODES, WORLDS[world], strict=True))
    effects |= {"strain_coded": WORLDS[world][0], "enabler_coded": WORLDS[world][3]}
    for variant, shrink in (("main", 1.0), ("error_free", 0.7)):
        base = {"module": "strain", "variant": variant, "study": "fourth"}
        base["role"] = "professional"
        exposed = base | {
            "estimand": "effect", "exposure": "arrangement_organisational",
            "exposure_type": "organisational",
        }  # fmt: skip
        for at, (outcome, (mean, sd)) in enumerate(effects.items()):
            code = outcome in CODES
            level = "code" if code else "population"
            same = exposed | {"outcome": outcome, "level": level}
            rows.append(row(shrink * mean, sd, **same, metric="log_odds"))
            if not code:
                continue
            rows.append(row(shrink * mean / 5, sd / 5, **same, metric="probability"))
            share = base | {"estimand": "mean", "outcome": outcome, "metric": "probability"}
            rows.append(row(0.3 - 0.03 * at, 0.05, **share, level="population"))
            for group in ("state_policy", "org_mission"):
                rows.append(row(0.3, 0.05, **share, level="arrangement", group=group))
            for k, country in enumerate(("GB-SCT", "US") if variant == "main" else ()):
                rows.append(row(0.2 + 0.2 * k, 0.05, **share, level="country", group=country))
            for k, sector in enumerate(SECTORS if variant == "main" else ()):
                rows.append(row(0.2 + 0.02 * k, 0.05, **share, level="sector", group=sector))
            if variant == "main":
                rows.append(row(0.3, 0.1, **share, level="new_sector"))
    return pd.DataFrame(rows)


# A half-normal of scale 0.5: mean, standard deviation and the ends of its interval.
HALF_NORMAL = {
    "prior": "half-normal, scale 0.5", "prior_mean": 0.3989, "prior_sd": 0.3014,
    "prior_lower": 0.01567, "prior_upper": 1.12070,
}  # fmt: skip


def heterogeneity() -> pd.DataFrame:
    """Standard deviations, an accuracy, and the same without coders' errors."""
    spread = HALF_NORMAL | {"ratio": 0.5}
    accuracy = {"prior": "beta, a 6, b 2", "prior_mean": 0.875, "prior_sd": 0.0722, "ratio": 0.6}
    accuracy |= {"prior_lower": 0.7106, "prior_upper": 0.9814}
    names = (
        "organisation_tau", "code_tau[arrangement_organisational]", "total_tau[settings]",
        "tau[study+country]", "tau[sector]", "own_tau[sector]",
    )  # fmt: skip
    rows = [row(0.2, 0.05, parameter=n, **spread) for n in names]
    rows += [row(0.9, 0.02, parameter="sensitivity", **accuracy)]
    rows += [row(0.1, 0.04, parameter=n, **spread) | {"variant": "error_free"} for n in names]
    return pd.DataFrame(rows)


def sites() -> pd.DataFrame:
    """Standard deviations between sites and between outcomes; the prior decides all of them."""
    names = [
        f"site_tau[{coefficient}, {outcome}|volunteers_at_work]"
        for coefficient in ("intercept", "task_type_randomised")
        for outcome in OUTCOMES[:2]
    ]
    names.append("outcome_tau[task_type_randomised, perceived_threat, professional]")
    spread = HALF_NORMAL | {"ratio": 0.9}
    return pd.DataFrame([row(0.2, 0.05, parameter=n, **spread) for n in names])


def synthesis(world: str, studies: int) -> dict[str, pd.DataFrame]:
    """Estimates of this many studies; with two and more they are pooled."""
    place = {
        "exposure": "task_type_randomised", "exposure_type": "randomised",
        "family": "perceived_threat", "response_mode": "vignette_hypothetical", "metric": "sd",
        "role": "professional",
    }  # fmt: skip
    estimates, pooled, structure = [], [], []
    names = ("first", "second", "fourth")[:studies]
    for outcome, (mean, sd) in zip(OUTCOMES[:3], WORLDS[world][:3], strict=True):
        mine = place | {"outcome": outcome}
        for at, study in enumerate(names):
            estimates.append(
                mine
                | {"id": f"{study}|{outcome}", "module": "threat", "study": study, "country": "DK"}
                | {"sector": "elderly_care", "n": 100, "se": sd}
                | {"vignette": "volunteers_at_work", "exposure_name": "task_type"}
                | {"estimate": mean + 0.05 * at, "provenance": "observed" if at else "simulated"}
            )
        levels = [("population", "", 1.0), *(("study", n, 1.1) for n in names)]
        levels += [("new_country", "", 3.0), ("next_in_country", "DK", 2.0)]
        for level, group, factor in levels if studies > 1 else ():
            more = mine | {"level": level, "group": group, "studies": studies}
            found = row(mean, sd * factor, **more) | {"provenance": "observed + simulated"}
            found["note"] = ""
            found["prior_pull"] = -0.4 if level == "population" else float("nan")
            pooled.append(found)
        if studies == 1:
            reason = "one study only; its own estimate is shown"
            values = (
                "perceived_threat",
                mine["exposure"],
                outcome,
                "study",
                1,
                "refused",
                "",
                reason,
            )
            structure.append(dict(zip(STRUCTURE, values, strict=True)))
    exploratory = [
        row(mean, WIDE, level=level, group=group, studies=3, metric="sd", id="all")
        for level, group, mean in (
            ("population", "", 0.1), ("family", "perceived_threat", 0.2),
            ("family", "coping_rated", -0.1), ("country", "GB-SCT + US", 0.0),
            ("new_study", "", 0.1),
        )
    ]  # fmt: skip
    spread = row(0.2, 0.1, parameter="tau[all family]", ratio=0.6, **HALF_NORMAL)
    columns = [c for c in result_tables.columns("pooled") if c != "provenance"]
    return {
        "estimates": pd.DataFrame(estimates),
        "pooled": pd.DataFrame(pooled, columns=[*columns, "provenance"]),
        "structure": pd.DataFrame(structure, columns=STRUCTURE),
        "exploratory": pd.DataFrame(exploratory),
        "heterogeneity": pd.DataFrame([spread | {"variant": "exploratory"}]),
    }


def selection(number: int = 12) -> dict[str, pd.DataFrame]:
    """Simulated published effects of one estimand, and what selection could have made of them."""
    from helpers.selection_worlds import experiments, findings
    from metastudy.models.priors import priors_of
    from metastudy.synthesis.published_effects import errors_alone, published
    from metastudy.synthesis.selected_effects import analyses, one_each

    effects = findings(*experiments(np.random.default_rng(4), 0.2, number))
    table, covariance = published(effects, VOCABULARY, ["pooled_sd"])
    own = one_each(table, covariance, errors_alone(effects, table, ["pooled_sd"]))
    sides = {"willingness": "positive"}
    made, seen = analyses(own, sides, priors_of(SETTINGS["priors"]), 0.95, {"sd": 0.1}, 1.96)
    return {"analyses": made, "effects": seen}


def study(name: str, provenance: str, places: list[tuple[str, str]], kinds: list[str]) -> Study:
    """A study with ten people in each place."""
    people = pd.DataFrame(
        [(country, sector, "professional", "org") for country, sector in places for _ in range(10)],
        columns=["country", "sector", "role", "org_id"],
    )
    report = {
        "study": name, "provenance": provenance, "file": f"{name}.csv", "sha256": "0" * 64,
        "rows_read": 10 * len(places) + 3, "rows_kept": 10 * len(places),
        "excluded": {"no_consent": 2, "preview": 0, "breakoff": 1}, "unmapped": [], "ignored": [],
        "missing": {}, "outcomes": [], "vocabulary": {},
        "exposures": [{"factor": "task_type", "type": kind} for kind in kinds],
        "codebook": {
            "id": name, "title": f"The {name} study", "citation": f"{name}2026",
            "design": "experiment", "response_mode": "vignette_hypothetical", "country": "DK",
            "sector": "elderly_care", "role": "professional", "provenance": provenance,
        },
    }  # fmt: skip
    return Study(report, {"respondents": people})


def finding(name: str, direction: str, n: float, family: str | None, **more: Any) -> dict[str, Any]:
    """A published finding, as the table ``effects`` has it."""
    return {
        "study_id": "published", "finding_id": name, "citation": "somebody2020",
        "contrast": f"Contrast {name}", "exposure": None, "exposure_type": "randomised",
        "outcome": "threat_quality", "family": family, "direction": direction, "estimate": None,
        "se": None, "metric": None, "n": n, "role": "professional", "country": None,
        "sector": None, "source": "abstract", "verification": "published_direction",
        "provenance": "observed",
    } | more  # fmt: skip


def published() -> Study:
    """Findings of every direction; two of them null with a known size, one an interaction."""
    found = [
        finding("A", "positive", float("nan"), "perceived_threat", exposure="task_type"),
        finding(
            "B",
            "null_result",
            400.0,
            "coping_rated",
            outcome="Preference",
            exposure="external_efficacy",
            vignette="user_vs_collective_value",
            role="citizen_coproducer",
        ),
        finding(
            "C",
            "not_supported",
            float("nan"),
            "perceived_threat",
            exposure="task_type",
            outcome="threat_job",
        ),
        finding("D", "negative", 817.0, "competence_judged", outcome="competence_judgement"),
        finding("E", "null_result", 900.0, None, outcome="Support", term="interaction"),
        finding("F", "null_result", 100.0, None, outcome="Support"),
    ]
    study_of = study("published", "observed", [], [])
    findings = pd.DataFrame(found)
    findings["term"] = findings["term"].fillna("main_effect")
    return study_of.with_tables(effects=findings)


def cases(provenance: str = "observed") -> Study:
    """Three cases, rated on one dimension."""
    made = study("cases", provenance, [("DK", "local_gov_general")], [])
    ratings = pd.DataFrame(
        {
            "study_id": "cases", "respondent_id": ["cases-b", "cases-a", "cases-c"],
            "org_id": None, "dimension": "implementation", "rating": [1.0, -1.0, float("nan")],
            "missing_reason": [None, None, "not_asked"], "evidence": ["q1", "q2", None],
        }
    )  # fmt: skip
    return made.with_tables(respondents=made.respondents.head(3), case_ratings=ratings)


def appraisal() -> pd.DataFrame:
    """Two publications in two domains."""
    return pd.DataFrame(
        [(study, domain, judgement, "low", "Only the abstract was seen.", "abstract")
         for study in ("somebody2020", "first2026")
         for domain, judgement in (("selection", "some_concerns"), ("coding", "not_assessed"))],
        columns=["study", "domain", "judgement", "certainty", "reason", "source"],
    )  # fmt: skip


def design_based() -> pd.DataFrame:
    """One weighted contrast beside the unweighted one."""
    return pd.DataFrame(
        {
            "study": "second", "exposure": "external_efficacy_measured",
            "exposure_name": "external_efficacy", "exposure_type": "measured",
            "outcome": "coping_avoidance", "vignette": "inclusion_vs_quality",
            "weighted": [True, False], "estimate": [-0.21, -0.2], "se": 0.05, "low": -0.31,
            "high": -0.11, "n": 480, "clusters": 480, "provenance": "simulated",
        }
    )  # fmt: skip


def sensitivity(world: str) -> pd.DataFrame:
    """Threat item by item, the last effect elsewhere; coping with a part folded into its whole.

    Of items effects are in standard deviations of scores and, smaller, of latent answers.
    """
    effects = threat(world)
    effects = effects[(effects["metric"] == "sd") & (effects["level"] == "population")]
    items = effects.assign(variant="ordinal")
    items.loc[items["outcome"] == OUTCOMES[-1], ["mean", "lower", "upper"]] += 0.5
    latent = items.assign(metric="latent_sd")
    latent[["mean", "sd", "lower", "upper"]] *= 0.9
    items = pd.concat([items, latent])
    rated = coping(world)
    return pd.concat([items, rated[rated["outcome"] != COPING[-1]].assign(variant="folded")])


def comparison() -> pd.DataFrame:
    """Partial pooling predicts best; under no pooling one row has a high Pareto k."""
    rows = []
    for pooling, apart, error, k in (
        ("pooled", -9.0, 2.0, 0),
        ("partial", 0.0, 0.0, 0),
        ("unpooled", -30.0, 5.0, 1),
    ):
        values = ["threat", pooling, apart - 100, 9.0, apart, error, 4.0, 1 / 3, k, 0.7, 90, 2000]
        rows.append([*values, 3, "", "simulated"])
    return pd.DataFrame(rows, columns=COMPARED)


def organisations() -> pd.DataFrame:
    """No organisation is left out, as no setting has two of them."""
    nothing = {"pooling": "", "organisations": 0, "people": 0, "draws": 0, "high_k": 0}
    row = {"module": "threat", **nothing, "reason": ONE_EACH, "provenance": "simulated"}
    return pd.DataFrame([row]).reindex(columns=result_tables.columns("organisations"))


def refits(modules: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Two refits of every module in which nothing moves, and one without pooling of outcomes."""
    rows = []
    for module, table in modules.items():
        effects = table[(table["estimand"] == "effect") & (table["variant"] == "main")]
        effects = effects[effects["level"].eq("population") & effects["metric"].ne("pomp")]
        if VOCABULARY.model(module) != "answers":
            effects = effects.assign(role="")
        given = [("without_organisation", "org-1"), ("prior", "tau_half")]
        given += [("outcomes", "apart")] * (VOCABULARY.model(module) == "answers")
        for kind, group in given:
            more = {"module": module, "kind": kind, "group": group, "left_out": 0.1, "shift": 0.0}
            more |= {"how": "sampled", "note": "", "missed": "", "k": float("nan")}
            rows.append(effects.assign(**more, rhat=1.0, ess=500.0, divergences=0))
    return pd.concat(rows, ignore_index=True)[REFITS]


def power(modules: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Effects that lean on the data alone."""
    key = ["module", "exposure", "outcome", "role"]
    found = refits(modules).drop_duplicates(key, ignore_index=True)
    return found.assign(prior=0.01, likelihood=0.1, diagnosis="", key="tau", by_key=0.01)[POWER]


def evidence(world: str, studies: int = 1, observed: tuple[str, ...] = ()) -> Results:
    """All results of a world, a copy of one's own: to make them anew takes forty times as long.

    Parameters
    ----------
    world : one of :data:`WORLDS`.
    studies : how many studies report the threat effects in the synthesis.
    observed : studies whose data are observed; the others are simulated.
    """
    return deepcopy(_evidence(world, studies, observed))


@cache
def _evidence(world: str, studies: int, observed: tuple[str, ...]) -> Results:
    kinds = {"first": ["randomised"], "second": ["measured"], "fourth": ["organisational"]}
    places = {"first": [("DK", "elderly_care")], "second": [("BE-VLG", "temporary_use")],
              "fourth": [("US", "social_care"), ("GB-SCT", "elderly_care")]}  # fmt: skip
    gates = [
        {"draws": "posterior", "gate": gate, "value": value, "threshold": limit, "passed": True,
         "parameter": "mu", "remedy": "", "target_accept": 0.9}
        for gate, value, limit in (("rhat", 1.002, 1.01), ("ess_bulk", 900.0, 400.0),
                                   ("ess_tail", 800.0, 400.0), ("divergences", 0.0, 0.0),
                                   ("ebfmi", 0.9, 0.3))
    ]  # fmt: skip
    modules = {
        "threat": threat(world, "observed" if "first" in observed else "simulated"),
        "coping": coping(world),
        "strain": strain(world),
    }
    return Results(
        vocabulary=VOCABULARY,
        studies=tuple(
            study(name, "observed" if name in observed else "simulated", places[name], kinds[name])
            for name in places
        ),
        published=(published(),),
        appraisal=appraisal(),
        design_based=design_based(),
        sensitivity=sensitivity(world),
        comparison=comparison(),
        organisations=organisations(),
        cells={
            "threat": Modelled(
                {"first": 9},
                ({"study": "first", "rule": "exposure_missing", "rows": 1},),
                2,
                3,
                4,
                (("first", "threat_job"),),
            ),
            "strain": Modelled({"fourth": 20}, ()),
        },
        contrasts=modules,
        refits=refits(modules),
        power=power(modules),
        heterogeneity={"threat": sites(), "strain": heterogeneity()},
        checks=({"fit": "threat", "gates": gates},),
        synthesis=synthesis(world, studies),
        settings=SETTINGS,
    )
