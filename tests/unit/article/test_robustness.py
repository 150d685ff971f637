"""What the article says of t tails, associations, missing outcomes and left-out groups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.evidence import evidence
from metastudy.article.results import Results
from metastudy.article.sections import sections
from metastudy.article.topics import associations, left_out_groups, missing_outcomes, tails
from metastudy.common import result_tables

TOPICS = {
    "tails": tails,
    "associations": associations,
    "missing_outcomes": missing_outcomes,
    "left_out_groups": left_out_groups,
}
SETTING = {
    "id": "a", "module": "threat", "study": "first", "country": "DK", "sector": "elderly_care",
    "role": "professional", "exposure": "self_efficacy_measured", "exposure_type": "measured",
    "outcome": "threat_job", "vignette": "", "metric": "sd", "provenance": "simulated",
    "reason": "", "estimate": 0.2, "se": 0.05, "lower": 0.1, "upper": 0.3,
}  # fmt: skip


def results(name: str, *rows: dict[str, Any]) -> Results:
    made = pd.DataFrame(rows)[result_tables.columns(name)] if rows else result_tables.none(name)
    found = result_tables.checked(name, made)
    return replace(evidence("null", 3), robustness={name: found})


def associated(**more: Any) -> dict[str, Any]:
    numbers = {
        "n": 100, "df": 97.0, "partial_r2": 0.1, "robustness": 0.3, "robustness_interval": 0.15,
        "reliability_exposure": 1.0, "reliability_outcome": 1.0, "corrected": np.nan,
        "corrected_lower": np.nan, "corrected_upper": np.nan,
    }  # fmt: skip
    return SETTING | numbers | more


def shifted(**more: Any) -> dict[str, Any]:
    ways = {
        "asked": 100, "missing": 20, "delta": 0.5, "tipping": 2.0,
        "estimate_down": 0.1, "lower_down": -0.05, "upper_down": 0.25,
        "estimate_up": 0.3, "lower_up": 0.15, "upper_up": 0.45,
    }  # fmt: skip
    return (
        SETTING | {"exposure_type": "randomised", "exposure": "task_type_randomised"} | ways | more
    )


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_without_rows_says_that_it_was_not_done_and_an_old_build_says_nothing(
    name: str,
) -> None:
    assert " not " in TOPICS[name].variables(results(name))["sentence"]
    assert TOPICS[name].table(results(name)).shown.empty
    assert TOPICS[name].variables(evidence("null")) == {}


def test_the_most_robust_association_is_named_with_the_confounder_that_explains_it() -> None:
    weak = associated(id="b", outcome="threat_quality", robustness=0.05, robustness_interval=0.0)
    found = results("associations", weak, associated())
    said = associations.variables(found)
    assert "Of 2 measured associations" in said["sentence"]
    assert "1 has a 95% interval without zero" in said["sentence"]
    assert "explains 30.0%" in said["sentence"]
    assert "15.0% its interval" in said["sentence"]
    assert said["reliability"] == associations.NOT_CORRECTED
    assert "Corrected, SD" not in associations.table(found).shown


def test_a_corrected_association_is_beside_the_uncorrected_one() -> None:
    numbers = {"corrected": 0.3, "corrected_lower": 0.15, "corrected_upper": 0.45}
    found = results("associations", associated(reliability_exposure=0.5, **numbers))
    said = associations.variables(found)["reliability"]
    assert "1 of 1 associations change, none by more than 0.10 SD" in said
    assert "from 0.20 to 0.30" in said
    shown = associations.table(found).shown
    assert "0.30 (0.15 to 0.45)" in set(shown["Corrected, SD"])
    assert "0.5, 1" in set(shown["Reliabilities"])


def test_an_interval_that_comes_to_hold_zero_by_a_shift_is_counted() -> None:
    found = results("missing_outcomes", shifted(), shifted(id="b", lower_down=0.01))
    said = missing_outcomes.variables(found)["sentence"]
    assert "no effect of a study would change by more than 0.10 SD" in said
    assert "one of 2 intervals" in said
    for row, expected in (({"lower_down": 0.01}, "would not come"), ({}, "would come")):
        one = missing_outcomes.variables(results("missing_outcomes", shifted(**row)))["sentence"]
        assert f"and the one interval {expected} to hold zero" in one
    neither = shifted(lower_down=0.01), shifted(id="b", lower_down=0.01)
    said = missing_outcomes.variables(results("missing_outcomes", *neither))["sentence"]
    assert "and none of 2 intervals would come" in said


def test_how_few_people_did_not_answer_is_not_said() -> None:
    found = missing_outcomes.table(results("missing_outcomes", shifted(missing=3)))
    assert set(found.shown["Missing"]) == {"under 5"}
    assert found.full["missing"].isna().all()


def test_who_were_asked_is_not_beside_who_are_missing_of_observed_people() -> None:
    """Both would give the number of an estimate's people, which is a range there."""
    found = results("missing_outcomes", shifted())
    assert set(missing_outcomes.table(found).shown["Missing"]) == {"20 of 100"}
    seen = evidence("mixed", observed=("first",)).studies
    table = missing_outcomes.table(replace(found, studies=seen))
    assert set(table.shown["Missing"]) == {"20"}
    assert table.full["asked"].isna().all()


def test_a_shift_for_few_observed_people_is_left_out_as_it_tells_how_few() -> None:
    """It moves an effect by 0.5 times the share who are missing: 0.025 was one of 40."""
    found = results(
        "missing_outcomes",
        shifted(missing=1, estimate_down=0.2 - 0.5 / 40, estimate_up=0.2 + 0.5 / 40),
        shifted(id="b", estimate=0.20123, estimate_down=0.1),
    )
    assert missing_outcomes.table(found).full["estimate_down"].notna().all(), "of simulated people"
    seen = replace(found, studies=evidence("mixed", observed=("first",)).studies)
    table = missing_outcomes.table(seen)
    gone = table.full[["estimate_down", "lower_up", "upper_down", "tipping"]]
    assert gone.isna().to_numpy().tolist() == [[True] * 4, [False] * 4]
    assert "fewer than 5 people did not answer" in table.shown.to_string()
    assert list(table.full["estimate"]) == [0.2, 0.2]
    assert "for 1 it was not done" in missing_outcomes.variables(seen)["sentence"]


def test_what_rests_on_one_group_is_said_and_what_is_compared_is_shown() -> None:
    base = {"module": "threat", "provenance": "simulated", "groups": 4, "estimands": 1}
    rows = [
        base
        | {"id": way, "grouping": "study", "pooling": way, "elpd": e, "difference": e + 1}
        | {"se_difference": 0.5, "reason": ""}
        for way, e in (("pooled", -1.0), ("partial", -1.4), ("unpooled", -3.0))
    ]
    none = dict.fromkeys(("elpd", "difference", "se_difference"), np.nan)
    rows += [
        base | none | {"id": g, "grouping": g, "pooling": "", "reason": f"rests on one {g}"}
        for g in ("country", "sector")
    ]
    found = results("left_out_groups", *rows)
    said = left_out_groups.variables(found)["sentence"]
    assert "a left-out study is predicted best with complete pooling" in said
    assert "partial pooling by 0.4 worse and no pooling by 2.0 worse" in said
    assert "each effect rests on one country and one sector" in said
    assert len(left_out_groups.table(found).shown) == 5


def test_the_largest_change_by_t_tails_is_said_with_the_farthest_study() -> None:
    pooled = evidence("null", 3).synthesis["pooled"].query("level == 'population'").iloc[0]
    row = pooled.to_dict() | {"studies": 3, "df": 4.0, "farthest": "third", "reason": ""}
    for kind, mean in (("normal", 0.3), ("t", 0.1)):
        row |= {f"mean_{kind}": mean, f"sd_{kind}": 0.1, f"total_{kind}": 0.2}
        row |= {f"lower_{kind}": mean - 0.2, f"upper_{kind}": mean + 0.2}
    found = results("tails", row)
    said = tails.variables(found)["sentence"]
    assert "moves by more than 0.20" in said
    assert "from 0.30 to 0.10" in said
    assert found.labels.study("third") in said
    assert tails.table(found).shown["t tails"].tolist() == ["0.10 (−0.10 to 0.30)"]
    none = {c: np.nan for c in result_tables.columns("tails") if c.endswith(("_normal", "_t"))}
    few = results("tails", row | none | {"reason": "of two", "farthest": ""})
    assert tails.variables(few)["sentence"].endswith("not done, because of two.")
    assert tails.table(few).shown["Normal"].tolist() == ["–"]


@pytest.mark.parametrize(
    ("name", "row"), [("associations", associated), ("missing_outcomes", shifted)]
)
def test_an_article_that_grows_has_them_where_there_are_rows(name: str, row: Any) -> None:
    key = f"{{#tbl-{name.replace('_', '-')}}}"
    for found, there in ((results(name, row()), True), (results(name), False)):
        settings = {**found.settings, "pooling": {"standardisers": [], "correlation": 0.6}}
        text = "".join(sections(replace(found, settings=settings)).values())
        assert (f"tables/_tbl-{name}.md" in text or key in text) == there
