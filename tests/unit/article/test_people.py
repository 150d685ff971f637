"""People: each is counted once, called what they are, and placed only where that is said."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from helpers.evidence import evidence
from metastudy.article.abstract import _few, _module, _summaries, summary
from metastudy.article.make import variables
from metastudy.article.results import Modelled, Results
from metastudy.article.sections import sections
from metastudy.article.topics.figure_answers import variables as answers
from metastudy.article.variable_tree import flat


def in_several(threat: int, coping: int, kept: int = 10) -> Results:
    """The first study with outcomes in two modules, and interviews in a third one."""
    found = evidence("null")
    cells = {**found.cells, "threat": replace(found.cells["threat"], rows={"first": threat})}
    cells["coping"] = Modelled({"first": coping}, ())
    found.studies[0].report["rows_kept"] = kept  # type: ignore[index]
    return replace(found, cells=cells)


def placed(*places: tuple[str, str]) -> Results:
    """Only the first study, of ten people, its places as they are given."""
    found = evidence("null")
    first = found.studies[0]
    where = pd.DataFrame(list(places) * (10 // len(places)), columns=["country", "sector"])
    people = where.assign(role="professional", org_id="org")
    return replace(found, studies=(first.with_tables(respondents=people),))


def test_a_person_in_two_models_is_one_person() -> None:
    found = in_several(threat=9, coping=10)  # the ten of coping are all there are, and 20 others
    assert flat(variables(found, {}))["studies.n_model"] == "30"
    assert "30 respondents and interviews of two studies" in summary(found, variables(found, {}))
    assert flat(variables(found, {}))["studies.n_model_words"] == "30"


def test_where_it_is_not_known_whether_they_are_the_same_it_is_a_lower_bound() -> None:
    found = in_several(threat=9, coping=8)  # nine are the most of one module, ten were kept
    assert flat(variables(found, {}))["studies.n_model_words"] == "at least 29"
    assert summary(found, variables(found, {})).startswith("We bring together at least 29 ")
    assert "studies.n_model_words" in sections(found)["data"]


def test_without_interviews_nobody_is_called_one() -> None:
    found = evidence("null")
    alone = replace(found, cells={"threat": found.cells["threat"]})
    text = summary(alone, variables(alone, {}))
    assert "9 respondents of one study" in text
    none = found.comparison[:0]  # nobody of threat is in a model, so no row of it is left out
    coded = replace(found, cells={"strain": found.cells["strain"]}, comparison=none)
    assert "20 interviews of one study" in summary(coded, variables(coded, {}))


def grid(found: Results) -> str:
    return str(answers(found)["study_grid"]["answer"])


def test_a_place_that_is_not_said_is_none() -> None:
    assert grid(placed(("", ""))) == "One study has 10 respondents; where they are is not said."
    said = grid(placed(("DK", "")))
    assert said == "10 respondents of one study are from one country."
    partly = grid(placed(("DK", "elderly_care"), ("", "elderly_care")))
    assert partly.endswith("from one country and one sector, as far as it is said.")
    assert grid(placed(("DK", "elderly_care"))).endswith("from one country and one sector.")


def test_an_abstract_gives_the_numbers_of_few_effects_and_the_verdicts_of_many() -> None:
    """Three effects are few and four are many, whatever their roles and units."""
    usual = evidence("mixed")
    all_of_them = usual.contrasts["threat"]
    exposure = "task_type_randomised"
    other = all_of_them["estimand"].ne("effect") | all_of_them["exposure"].ne(exposure)
    mean = all_of_them[~other & all_of_them["level"].eq("population")].drop_duplicates("outcome")
    first = mean.iloc[:1].assign(mean=0.4, lower=0.3, upper=0.5, positive=1.0, pd=1.0)
    points = first.assign(metric="pomp")
    for roles, numbers in ((3, True), (4, False)):
        many = [first.assign(role=f"role_{k}") for k in range(1, roles)]
        of = pd.concat([all_of_them[other & all_of_them["level"].ne("population")], first, points])
        found = replace(usual, contrasts={"threat": pd.concat([of, *many])})
        assert _few(found, "threat") == numbers
    tree = {"money": {"label": "Money", "inline": "money", "comparison": "All.", "summary": "0.4."}}
    assert _module(tree, few=True) == "0.4."
    assert _module(tree, few=False).startswith("Money: all.")
    tree["money"]["comparison"] = "None of the outcomes has a decided sign."
    assert _module(tree, few=True) == "Of money no effect has a decided sign."


def test_an_abstract_has_each_pooled_effect_where_there_are_several_roles() -> None:
    """Summaries are below each role then; none of the pooled effects may go missing."""
    of = {"professional": {"summary": "It rises."}, "manager": {"summary": "It falls."}}
    tree = {"a": {"quality": {}, "of": of}, "b": {"of": {"manager": {"summary": "It is open."}}}}
    said = list(_summaries(evidence("null"), tree | {"c": {"summary": "One."}, "sentence": "x"}))
    assert said == ["Professional: It rises.", "Manager: It falls.", "It is open.", "One."]
