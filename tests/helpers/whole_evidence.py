"""A small world in which every figure, table, part and variable of the article has something in it.

It is what :mod:`helpers.evidence` has, and beside it a few rows of each result that its worlds do
without. Numbers are of no account here; that a result is there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from helpers import evidence as worlds
from helpers.evidence import COPING, OUTCOMES, row
from metastudy.article.results import Modelled, Results
from metastudy.article.topics.parcels import DID
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common import result_tables
from metastudy.design.moderators import Coefficient
from metastudy.harmonized.study import Study
from metastudy.inference.netcdf import save
from metastudy.models.answers.moderated import Moderated
from metastudy.models.events.contrasts import ARM
from metastudy.synthesis.left_out_places import COLUMNS as LEFT_OUT
from metastudy.synthesis.left_out_places import digest
from metastudy.synthesis.pooling import ESTIMAND

__all__ = ["MODELS", "whole_evidence"]

EVENTS, CHOSEN = "choices", "took_part"  # a module of events, and its outcome
MODELS = {"threat": "answers", "coping": "answers", "strain": "codings", EVENTS: "events"}
OBSERVED = "second"
COUNTRIES = ("DK", "FI", "US")
TASK, JOB = "task_type_randomised", OUTCOMES[2]
POPULATION = {"level": "population", "role": "professional", "study": "first"}
ADDED: Mapping[str, Mapping[str, Any]] = {  # to the vocabulary
    "modules": {EVENTS: {"label": "Choices", "model": "events", "question": "Do they take part?"}},
    "families": {"participation": {"label": "Participation", "module": EVENTS}},
    "constructs": {
        CHOSEN: {
            "label": "Took part", "definition": "Whether someone took part.",
            "direction": "higher_is_more", "family": "participation",
        },
    },
    "moderators": {"latitude": {"label": "Latitude", "unit": "degrees"}},
}  # fmt: skip
OF_TEXT, OF_NUMBER = {"str": "", "bool": True}, 0.1
PRIMARY = {"abstract": [f"threat.{TASK}.{JOB}", f"synthesis.effects.{TASK}.{JOB}"]}


def whole_evidence(folder: Path) -> Results:
    """The world, with files of draws in a folder.

    One study's data are observed, as draws stand beside findings only then; the others' are
    simulated, as only then true values are known.
    """
    base = worlds.evidence("mixed", 3, (OBSERVED,))
    sections = {
        name: {**base.vocabulary[name], **ADDED.get(name, {})}
        for name in {*base.vocabulary.sections, *ADDED}
    }
    contrasts = _contrasts(base.contrasts)
    estimates = base.synthesis["estimates"].assign(country=[*COUNTRIES] * 3)
    return replace(
        base,
        vocabulary=Vocabulary(sections),
        studies=(*base.studies, _parcel()),
        published=(_published(base.published[0]),),
        truth=_truth(),
        left_out=_left_out(estimates),
        cells=_cells(base.cells),
        contrasts=contrasts,
        draws={name: _drawn(table, folder / f"{name}.nc") for name, table in contrasts.items()},
        heterogeneity={**base.heterogeneity, EVENTS: base.heterogeneity["threat"].iloc[:1]},
        correlations_of_arms=_with_other_correlations(contrasts["threat"]),
        predictive=_predictive(),
        synthesis={**base.synthesis, **_second_stage(base, estimates)},
        selection=worlds.selection(),
        robustness=_robustness(),
        unlock=_unlock(),
        settings={**base.settings, "primary": PRIMARY}
        | {"pooling": {"standardisers": [], "correlation": 0.6}},
    )


def of_table(name: str, **values: Any) -> pd.DataFrame:
    """One row of a table of results: these values, and any others in its other columns."""
    columns = result_tables.TABLES[name]
    least = {n: c.low for n, c in columns.items() if c.dtype == "int64"}
    given = {n: OF_TEXT.get(c.dtype, least.get(n) or OF_NUMBER) for n, c in columns.items()}
    assert set(values) <= set(columns), f"no such column of {name}"
    return pd.DataFrame([given | values])


def _contrasts(base: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Those of the worlds, an effect with a moderator, pairs of coping, and events."""
    threat = base["threat"]
    changed = threat[threat["outcome"].eq(JOB) & threat["metric"].eq("sd")].iloc[0].to_dict()
    of = {"estimand": "moderator", "level": "moderator", "group": "latitude", "id": "latitude"}
    against = [
        one | {"estimand": "difference", "level": "outcome", "against": "family", "id": f"d{at}"}
        for at, one in enumerate(base["coping"].to_dict("records"))
        if one["level"] == "population" and one["exposure_type"] == "measured"
    ]
    coping = pd.concat([base["coping"], pd.DataFrame(against)], ignore_index=True)
    same = {
        "module": EVENTS, "outcome": CHOSEN, "exposure": TASK, "exposure_type": "randomised",
        "country": "DK", "sector": "elderly_care",
    } | POPULATION  # fmt: skip
    events = [
        row(0.3, 0.1, **same, estimand="effect", metric="log_odds"),
        row(0.1, 0.05, **same, estimand="effect", metric="probability"),
        *(
            row(0.4, 0.1, **same | {"level": ARM, "group": arm}, estimand="mean",
                metric="probability")
            for arm in ("complementary", "core")
        ),
        row(0.1, 0.1, **same | {"level": "outcome", "against": "family"}, estimand="difference",
            metric="log_odds"),
    ]  # fmt: skip
    return {
        **base,
        "threat": pd.concat([threat, pd.DataFrame([changed | of])], ignore_index=True),
        "coping": coping.assign(provenance="observed"),
        EVENTS: pd.DataFrame(events),
    }


def _drawn(contrasts: pd.DataFrame, path: Path) -> Path:
    """A file of independent normal draws of contrasts."""
    rng = np.random.default_rng(1)
    values = rng.normal(contrasts["mean"], contrasts["sd"], (2, 100, len(contrasts)))
    coords = {"contrast": contrasts["id"].to_list()}
    draws = xr.DataArray(values, coords, ("chain", "draw", "contrast"))
    save(xr.DataTree.from_dict({"contrasts": draws.to_dataset(name="value")}), path)
    return path


def _parcel() -> Study:
    """A study that came as a parcel, of which control took people out."""
    made = worlds.study("sent", "simulated", [("DK", "elderly_care")], ["randomised"])
    told = {"median": 1.0, "largest": 1.2, "lost": 0, "estimates": 2}
    control = dict.fromkeys(DID, 1) | {"untouched": False, "intervals": told}
    inside = {
        "control": control,
        "sites": 2,
        "places": [("DK", "elderly_care", "professional", 10)],
    }
    return replace(made, report={**made.report, "parcel": inside}, parcel=Path("sent.parcel"))


def _published(study: Study) -> Study:
    """Findings of which one has an estimate with its standard error."""
    found = study.effects.assign(method=None)
    found[["estimate", "se"]] = found[["estimate", "se"]].astype(float)
    found.loc[0, ["estimate", "se", "metric"]] = [0.2, 0.1, "sd"]
    return study.with_tables(effects=found)


def _cells(base: Mapping[str, Modelled]) -> dict[str, Modelled]:
    """Those of the worlds, with a moderator, an assumed correlation, a parcel, and events."""
    latitude = Coefficient("latitude", "", 55.0, 2.0, "degrees", between=True)
    by = Moderated(TASK, JOB, "professional", (latitude,), {"first": 54.0, "other": 57.0})
    rows = {**base["threat"].rows, "sent": 10}
    threat = replace(base["threat"], rows=rows, moderated=(by,), assumed=("first",))
    return {
        **base,
        "threat": replace(threat, correlation=0.6),
        "coping": Modelled({"second": 10}, ({"study": "second", "rule": "no_outcome_scored",
                                             "rows": 7},)),
        EVENTS: Modelled({"first": 10}, (), over_sites=("first",), within_sites=("second",)),
    }  # fmt: skip


def _with_other_correlations(contrasts: pd.DataFrame) -> pd.DataFrame:
    names = contrasts.loc[contrasts["estimand"].eq("difference"), "id"]
    return pd.concat([of_table("correlations_of_arms", id=i, module="threat") for i in names])


def _predictive() -> pd.DataFrame:
    """A statistic of each kind of model, of a whole study, from the posterior."""
    same = {"kind": "posterior", "observed": 0.5, "lower": 0.0, "upper": 0.2}
    found = [
        of_table("predictive", module="threat", study="first", outcome=JOB, statistic="mean"),
        of_table("predictive", module="coping", study="second", outcome=COPING[0],
                 statistic="mean"),
        of_table("predictive", module="strain", study="fourth", outcome="role_change",
                 statistic="prevalence"),
        of_table("predictive", module="strain", study="fourth",
                 statistic="organisation_sd", outcome="role_change"),
        of_table("predictive", module=EVENTS, study="first", outcome=CHOSEN, statistic="share"),
    ]  # fmt: skip
    return pd.concat([one.assign(**same) for one in found], ignore_index=True)


def _truth() -> pd.DataFrame:
    """True effects on the threats."""
    same = {
        "module": "threat", "study": "first", "data": "0" * 64, "exposure": TASK, "truth": 0.3,
        "level": "population", "vignette": np.nan, "metric": "sd", "se": 0.0,
    }  # fmt: skip
    return pd.DataFrame([same | {"outcome": outcome} for outcome in OUTCOMES])


def _left_out(estimates: pd.DataFrame) -> pd.DataFrame:
    """Two countries, each left out of these estimates of one outcome."""
    first = estimates.iloc[0]
    mine = estimates[estimates[ESTIMAND].eq(first[ESTIMAND]).all(axis=1)]
    same = {
        **{name: first[name] for name in ESTIMAND}, "date": "2026-01-02", "commit": "0123456789",
        "estimates": digest(mine), "grouping": "country", "estimate": 0.2, "se": 0.1, "mean": 0.1,
        "lower": -1.0, "upper": 1.0, "missed": "", "provenance": "simulated",
    }  # fmt: skip
    return pd.DataFrame([same | {"group": name} for name in COUNTRIES[:2]])[LEFT_OUT]


def _second_stage(base: Results, estimates: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the second stage that the worlds do without, and means by country."""
    pooled = base.synthesis["pooled"]
    mean = pooled[pooled["level"].eq("population") & pooled["outcome"].eq(JOB)].iloc[0].to_dict()
    by_country = [mean | {"level": "country", "group": name} for name in COUNTRIES]
    of = {name: mean[name] for name in ("id", *ESTIMAND, "provenance")}
    slope = {"moderator": "latitude", "at": "55", "unit": "degrees", "mean": 0.4, "pd": 0.99}
    along = [of_table("moderator_lines", **of, moderator="latitude", kind=kind, x=55.0)
             for kind in ("estimate", "mean")]  # fmt: skip
    grouping = {"grouping": "country", "levels": 1, "used_as": "varying"}
    other = {"other": "o", "other_exposure": TASK, "other_outcome": OUTCOMES[0]}
    structure = [
        of_table("structure", module_or_family=module, exposure=exposure, outcome=JOB, **grouping)
        for module, exposure in (("threat", TASK), ("perceived_threat", TASK))
    ]
    return {
        "estimates": estimates,
        "pooled": pd.concat([pooled, pd.DataFrame(by_country)], ignore_index=True),
        "structure": pd.concat([base.synthesis["structure"], *structure], ignore_index=True),
        "moderators": of_table("moderators", **of, **slope),
        "moderator_lines": pd.concat(along, ignore_index=True),
        "dependence": of_table("dependence", **of, assumed=1),
        "correlations": of_table("correlations", **of, **other),
        "influence": of_table("influence", **of, study="first"),
        "prior_scales": of_table(
            "prior_scales", **of, kind="population", prior_key="tau", factor=2.0
        ),
    }


def _robustness() -> dict[str, pd.DataFrame]:
    of = {
        "exposure": TASK, "exposure_type": "randomised", "outcome": JOB, "metric": "sd",
        "provenance": "simulated",
    }  # fmt: skip
    in_study = of | {"module": "threat", "study": "first", "country": "DK"}
    return {
        "tails": of_table("tails", **of, family="perceived_threat", farthest="first"),
        "associations": of_table("associations", **in_study),
        "missing_outcomes": of_table("missing_outcomes", **in_study, asked=50, missing=10),
        "left_out_groups": of_table(
            "left_out_groups", module="threat", grouping="country", pooling="partial"
        ),
    }


def _unlock() -> pd.DataFrame:
    of = {
        "candidate": "A second place", "module": "coping", "family": "coping_rated",
        "role": "citizen_coproducer", "response_mode": "vignette_hypothetical", "metric": "sd",
        "exposure": "external_efficacy_measured", "exposure_type": "measured",
        "outcome": COPING[0], "sign": "pooled", "reason": "2 studies", "studies": 1,
    }  # fmt: skip
    return pd.DataFrame([of])
