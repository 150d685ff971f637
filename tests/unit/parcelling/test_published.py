"""Tables that are published beside a parcel: the difference of the two is nobody, or many people.

Who is in no cell is counted here from the harmonized tables by pandas.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.parcel_studies import harmonized, raw_study, report_of
from helpers.raw_studies import TABLE, VOCABULARY, codebook_of, table_study
from metastudy.codebook.codebook import PublishedTable
from metastudy.common.problems import BadInput
from metastudy.display.labels import Labels
from metastudy.harmonized.study import Study
from metastudy.parcelling.control import control
from metastudy.parcelling.make import documents
from metastudy.parcelling.page import owner_page
from metastudy.parcelling.published import groups_of

ENOUGH = 12  # people in no cell: six for each of the two sums, and no fewer than ten
QUALITY = ("threat_quality", "")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Five people did not answer the second outcome, too few for a cell of their own."""
    folder = tmp_path_factory.mktemp("published")
    return harmonized(raw_study(folder, "alpha", sites=2, each=30, missing=5), folder / "alpha")


def scores_of(study: Study, construct: str) -> pd.Series:
    own = study.measurements[study.measurements["construct"].astype("str") == construct]
    return own.groupby("respondent_id")["value_pomp"].mean().dropna()


def outside(study: Study, controlled: Study, construct: str, by: list[str]) -> dict[str, int]:
    """People of each group of a table by factors whose answer is in no cell."""
    arm = study.assignments.pivot(index="respondent_id", columns="factor", values="level")
    before, after = (scores_of(one, construct) for one in (study, controlled))
    gone = before.index.difference(after.index)
    if not by:
        return {"all": len(gone)}
    return arm.loc[gone, by].astype(str).agg(" ".join, axis=1).value_counts().to_dict()


def test_without_tables_the_published_mean_less_the_cells_is_the_sum_of_five_people(
    study: Study,
) -> None:
    controlled = control(study, VOCABULARY, 5)
    gone = scores_of(study, "threat_quality").index.difference(
        scores_of(controlled.study, "threat_quality").index
    )
    assert 0 < len(gone) < 10
    published = scores_of(study, "threat_quality").sum()
    cells = documents(controlled, VOCABULARY, report_of(controlled))["cells/threat-main.json"]
    numbers = cells["numbers"]
    told = sum(
        xy[0][0] * numbers["scale"][0][0] + n * numbers["centre"][0][0]
        for xy, n in zip(numbers["xy"], numbers["n"], strict=True)
    )
    theirs = scores_of(study, "threat_quality")[gone].sum()
    assert published - told == pytest.approx(theirs), "so it can be worked out"


@pytest.mark.parametrize("by", [(), ("task_type",), ("task_type", "site"), ("gender",)])
def test_of_a_published_table_nobody_or_many_are_in_no_cell(
    study: Study, by: tuple[str, ...]
) -> None:
    tables = [PublishedTable("threat_quality", by=by)]
    controlled = control(study, VOCABULARY, 5, tables)
    factors = [name for name in by if name == "task_type"]
    counts = outside(study, controlled.study, "threat_quality", factors)
    assert min(counts.values()) >= ENOUGH
    assert max(counts.values()) < 50, "some stay"
    again = control(study, VOCABULARY, 5, tables)
    assert again.study.respondents.equals(controlled.study.respondents)


def test_a_table_of_people_who_are_all_in_cells_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("whole")
    whole = harmonized(raw_study(folder, "alpha", sites=2), folder / "alpha")
    tables = [PublishedTable("threat_quality"), PublishedTable("threat_job", by=("task_type",))]
    controlled = control(whole, VOCABULARY, 5, tables)
    assert controlled.did["untouched"]


def test_groups_are_those_of_all_tables_of_an_outcome_together(study: Study) -> None:
    ids = study.respondents["respondent_id"].to_numpy(dtype=str)
    tables = [PublishedTable("threat_quality", by=("task_type",)),
              PublishedTable("threat_quality", by=("site",))]  # fmt: skip
    found = groups_of(study, tables, ids, [QUALITY, ("threat_job", "")])
    arm = study.assignments.set_index("respondent_id")["level"].astype(str)[ids]
    org = study.respondents.set_index("respondent_id")["org_id"].astype(str)[ids]
    expected = pd.factorize(arm.to_numpy() + "|" + org.to_numpy())[0]
    assert len(set(zip(found[:, 0], expected, strict=True))) == 4 == len(np.unique(found[:, 0]))
    assert not found[:, 1].any(), "nothing is published of the other"


def test_a_table_that_splits_a_cell_into_single_people_keeps_the_cell_at_home(
    study: Study,
) -> None:
    """The mean of each person would be public: nothing of the outcome can go out beside it."""
    people = study.respondents.copy()
    people["region"] = people["respondent_id"].astype(str)
    split = study.with_tables(respondents=people)
    with pytest.raises(BadInput, match="solved for the answers"):
        control(split, VOCABULARY, 5, [PublishedTable("threat_quality", by=("region",))])


def test_the_page_names_the_tables_or_says_that_there_are_none(study: Study) -> None:
    controlled = control(study, VOCABULARY, 5)
    inside = documents(controlled, VOCABULARY, report_of(controlled))
    manifest = {"study": "alpha", "provenance": "simulated", "least": 10}
    page = owner_page(manifest, inside, 9999, [], Labels(VOCABULARY))
    assert "None is declared" in page
    tables = [PublishedTable("threat_quality", by=("task_type", "gender"))]
    page = owner_page(manifest, inside, 9999, [], Labels(VOCABULARY), tables=tables)
    assert "core against complementary tasks and gender" in page
    assert "None is declared" not in page


# --- the codebook --------------------------------------------------------------------------------


def test_a_codebook_declares_published_tables(tmp_path: Path) -> None:
    said = "published_tables: [{construct: threat_job, by: [gender]}, {construct: threat_job}]\n"
    (first, second) = codebook_of(table_study(tmp_path, codebook=TABLE + said)).published_tables
    assert first == PublishedTable("threat_job", by=("gender",))
    assert second == PublishedTable("threat_job")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("[{construct: threat_jop}]", "Did you mean 'threat_job'?"),
        ("[{construct: self_efficacy}]", "which is neither an outcome nor an exposure"),
        ("[{construct: threat_job, by: [gendre]}]", "Did you mean 'gender'?"),
        ("[{construct: threat_job, vignette: nowhere}]", "nowhere"),
        ("[{by: [gender]}]", "construct"),
    ],
)
def test_a_table_that_cannot_be_is_one_error(tmp_path: Path, entry: str, found: str) -> None:
    folder = table_study(tmp_path, codebook=TABLE + f"published_tables: {entry}\n")
    with pytest.raises(BadInput) as error:
        codebook_of(folder)
    (problem,) = error.value.problems
    assert found in str(problem)
    assert "published_tables" in str(problem)
