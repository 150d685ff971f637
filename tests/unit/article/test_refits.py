"""What is said of the refits: ranges, largest shifts, verdicts that change."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import yaml

from helpers.evidence import row
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.article.make import table, variables
from metastudy.article.results import Results
from metastudy.article.topics.power_scaling import power
from metastudy.article.topics.refits import figure, kept, robustness, unshrunk
from metastudy.article.variable_tree import flat

SETTINGS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
EXPOSURE = {
    "exposure": "task_type_randomised",
    "exposure_type": "randomised",
    "metric": "sd",
    "provenance": "simulated",
}


def effect(outcome: str, mean: float) -> dict[str, object]:
    sd = {"threat_quality": 0.05, "threat_job": 0.1}[outcome]
    return row(mean, sd, **EXPOSURE, outcome=outcome, role="professional")


def one_refit(kind: str, group: str, outcome: str, mean: float) -> dict[str, object]:
    more = {"rhat": 1.01, "ess": 400.0, "divergences": 0, "left_out": 0.1, "module": "threat"}
    more |= {"how": "sampled", "note": "", "missed": ""}
    shift = (mean - {"threat_quality": 0.3, "threat_job": 0.0}[outcome]) / 0.05
    return effect(outcome, mean) | more | {"kind": kind, "group": group, "shift": shift}


@pytest.fixture
def evidence() -> Results:
    whole = [effect("threat_quality", 0.3), effect("threat_job", 0.0)]
    about = {"module": "threat", "variant": "main", "estimand": "effect", "level": "population"}
    contrasts = pd.DataFrame([one | about for one in whole])
    found = [
        one_refit("without_organisation", "org-1", "threat_quality", 0.25),
        one_refit("without_organisation", "org-1", "threat_job", 0.02),
        one_refit("without_organisation", "org-2", "threat_quality", 0.05),  # undecided, then
        one_refit("without_organisation", "org-2", "threat_job", -0.01),
        one_refit("prior", "tau_half", "threat_quality", 0.29),
        one_refit("prior", "tau_double", "threat_quality", 0.31),
    ]
    scaled = [
        EXPOSURE
        | {"module": "threat", "outcome": o, "role": "professional", "prior": p}
        | {"likelihood": 0.1, "diagnosis": d, "key": "tau", "by_key": p}
        for o, p, d in (("threat_quality", 0.01, ""), ("threat_job", 0.2, "conflict"))
    ]
    return Results(
        vocabulary=VOCABULARY,
        contrasts={"threat": contrasts},
        refits=pd.DataFrame(found),
        power=pd.DataFrame(scaled),
        settings={name: SETTINGS[name] for name in ("report", "priors", "privacy")},
    )


def test_the_largest_shift_is_named_and_changed_verdicts_are_counted(evidence: Results) -> None:
    found = robustness(evidence).set_index("kind")
    one = found.loc["without_organisation"]
    assert (one["outcome"], one["group"], one["refits"]) == ("threat_quality", "org-2", 2)
    assert one["shift"] == pytest.approx(-5)
    assert (one["changed"], one["effects"]) == (1, 2), "0.05 is undecided where 0.3 was clear"
    assert found.loc["prior", "changed"] == 0
    assert list(found.index) == ["without_organisation", "prior"], "no kind without refits"


def test_the_figure_holds_each_effect_and_the_range_of_its_means(evidence: Results) -> None:
    found = figure(evidence)
    mine = found[found["outcome"] == "threat_quality"].set_index("level")
    assert (mine.loc["all", "lower"], mine.loc["all", "upper"]) == pytest.approx((0.202, 0.398))
    organisation = mine.loc["without_organisation"]
    assert (organisation["lower"], organisation["upper"]) == pytest.approx((0.05, 0.25))
    assert set(found["provenance"]) == {"simulated"}
    other = found[found["outcome"] == "threat_job"]
    assert list(other["level"]) == ["all", "without_organisation"], (
        "what was not refitted is not shown"
    )


def test_what_has_another_verdict_without_shrinkage_is_named(evidence: Results) -> None:
    apart = [one_refit("outcomes", "apart", "threat_job", 0.02)]
    evidence = replace(evidence, refits=pd.concat([evidence.refits, pd.DataFrame(apart)]))
    said = flat(variables(evidence, {}))
    assert said["refits.threat.outcomes.named"] == ("No verdict is another one without shrinkage.")
    apart += [one_refit("outcomes", "apart", "threat_quality", 0.05)]
    evidence = replace(evidence, refits=pd.DataFrame(apart))
    said = flat(variables(evidence, {}))
    assert said["refits.threat.outcomes.named"] == (
        "Without shrinkage the verdict is “undecided” in place of “clear, higher” for core "
        "against complementary tasks on threat to service quality."
    )
    whole = evidence.contrasts["threat"].iloc[0]
    assert unshrunk(evidence, whole) == "0.05 (−0.05 to 0.15): undecided"
    assert unshrunk(replace(evidence, refits=evidence.refits.iloc[:1]), whole) == "–"


def test_a_claim_is_kept_where_its_sign_has_a_probability_of_95_per_cent(
    evidence: Results,
) -> None:
    quality, job = evidence.contrasts["threat"].to_dict("records")
    # Of 0.25, 0.05, 0.29 and 0.31, each with a standard deviation of 0.05, one has P(sign) = 0.84.
    assert kept(evidence, quality) == "3 of 4"
    assert kept(evidence, job) == "", "it is no claim"
    other = {**quality, "role": "citizen_coproducer"}
    assert kept(evidence, other) == "", "nobody of that role was in a refit"


def test_a_refit_that_misses_a_gate_is_shown_and_counted_nowhere(evidence: Results) -> None:
    refits = evidence.refits
    refits.loc[refits["group"] == "org-2", "missed"] = "R-hat 1.08 (gate 1.02)"
    one = robustness(evidence).set_index("kind").loc["without_organisation"]
    assert (one["refits"], one["missed"], one["changed"]) == (2, 1, 0)
    assert one["shift"] == pytest.approx(-1), "that of org-1, not the -5 of org-2"
    assert kept(evidence, evidence.contrasts["threat"].iloc[0].to_dict()) == "3 of 3"
    found = figure(evidence).set_index(["outcome", "level"])
    assert found.loc[("threat_quality", "without_organisation"), "lower"] == pytest.approx(0.25)
    assert table(evidence, "refits").shown["Gate missed"].tolist() == ["1", "0"]
    assert flat(variables(evidence, {}))["refits.gates"] == (
        "One of 4 refits misses a gate and is not counted."
    )


def test_an_effect_that_rests_on_one_study_says_so_and_is_not_a_refit(evidence: Results) -> None:
    alone = one_refit("without_study", "a", "threat_job", float("nan"))
    alone |= {"how": "not run", "note": "rests on one study", "positive": float("nan")}
    found = pd.concat([evidence.refits, pd.DataFrame([alone])], ignore_index=True)
    object.__setattr__(evidence, "refits", found)
    one = robustness(evidence).set_index("kind").loc["without_study"]
    assert (one["refits"], one["effects"], one["rests"]) == (0, 0, 1)
    said = flat(variables(evidence, {}))
    assert said["refits.number"] == "4"
    sentence = "Without one study: no refit counts, as 1 effect rests on one study."
    assert said["refits.threat.without_study.sentence"] == sentence
    shown = table(evidence, "refits").shown
    assert "–" in shown["Largest shift, posterior SD"].tolist()
    assert kept(evidence, evidence.contrasts["threat"].iloc[0].to_dict()) == "3 of 4"


def test_what_leans_on_the_prior_is_counted(evidence: Results) -> None:
    one = power(evidence).iloc[0]
    assert (one["effects"], one["prior"], one["conflict"]) == (2, 1, 1)
    assert (one["outcome"], one["largest"]) == ("threat_job", 0.2)


def test_tables_and_sentences_say_the_same(evidence: Results) -> None:
    shown = table(evidence, "refits").shown
    assert shown["Largest shift, posterior SD"].tolist()[0] == "−5.00"
    assert shown["Verdicts changed"].tolist() == ["1 of 2", "0 of 1"]
    said = flat(variables(evidence, {}))
    sector = evidence.refits.replace({"kind": {"without_organisation": "without_sector"}})
    other = replace(evidence, refits=sector.assign(group="elderly_care"))
    said = flat(variables(other, {}))["refits.threat.without_sector.sentence"]
    assert said.startswith("One result depends on one sector, that for core")
    named = flat(variables(other, {}))["refits.threat.fragile"]
    assert "(without elderly care the mean moves from 0.30 to 0.05 SD" in named
    calm = replace(evidence, refits=evidence.refits.assign(shift=evidence.refits["shift"] / 10))
    said_calm = flat(variables(calm, {}))["refits.threat.without_organisation.sentence"]
    assert "no mean moves by more than 0.50 posterior standard deviations" in said_calm
    said = flat(variables(evidence, {}))
    assert said["refits.number"] == "4"
    assert "one of 2 population effects sensitive to the prior" in said["power.sentence"]
    assert table(evidence, "power").shown["Moved by both"].tolist() == ["1"]


def test_without_refits_nothing_is_said() -> None:
    settings = {k: v for k, v in SETTINGS.items() if k != "primary"}
    nothing = Results(vocabulary=VOCABULARY, settings=settings)
    assert figure(nothing).empty
    assert robustness(nothing).empty
    assert power(nothing).empty
    assert not [
        name for name in flat(variables(nothing, {})) if name.startswith(("refits", "power"))
    ]


def test_every_result_that_depends_on_one_organisation_is_named(evidence: Results) -> None:
    said = flat(variables(evidence, {}))
    one = (
        "One result depends on one organisation: core against complementary tasks on threat to "
        "service quality (without it the mean moves from 0.30 to 0.05 SD, 5.00 posterior standard "
        "deviations)"
    )
    assert said["refits.threat.fragile"] == f"{one}."
    assert said["refits.threat.without_organisation.sentence"] == (
        "One result depends on one organisation, that for core against complementary tasks on "
        "threat to service quality, whose mean moves by 5.00 posterior standard deviations; in all "
        "refits of this kind one of 2 verdicts changes."
    )
    more = [one_refit("without_organisation", "org-3", "threat_job", 0.2)]
    both = replace(evidence, refits=pd.concat([evidence.refits, pd.DataFrame(more)]))
    said = flat(variables(both, {}))
    assert said["refits.threat.fragile"].startswith("Two results depend on one organisation: core")
    assert (
        "threat to one's own job (without it the mean moves from 0.00 to 0.20 SD"
        in (said["refits.threat.fragile"])
    )
    few = evidence.refits[evidence.refits["shift"].abs() <= 1]
    said = flat(variables(replace(evidence, refits=few), {}))
    assert said["refits.threat.fragile"].startswith("No result depends on one study, country")


def test_other_refits_that_move_means_far_are_counted(evidence: Results) -> None:
    apart = [one_refit("outcomes", "apart", "threat_quality", 0.2)]
    evidence = replace(evidence, refits=pd.concat([evidence.refits, pd.DataFrame(apart)]))
    assert flat(variables(evidence, {}))["refits.threat.outcomes.sentence"] == (
        "Without shrinking the outcomes of a family to their mean, the one mean moves by more "
        "than one posterior standard deviation (most that of core against complementary tasks on "
        "threat to service quality, by 2.00), and the one verdict does not change."
    )
