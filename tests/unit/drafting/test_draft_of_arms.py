"""A table of arms is drafted as one, under the headers that papers and programs give."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.drafting.arms import parts
from metastudy.drafting.draft import draft, open_points
from metastudy.harmonize.harmonize import harmonize_file


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["arm", "n", "mean", "sd"], ["factor", "people", "mean", "sd"]),
        (["Study", "Group", "N", "M", "SD"], ["study", "factor", "people", "mean", "sd"]),
        (["condition", "events", "total"], ["factor", "events", "people"]),
        (["letter", "Sample size", "Mean", "Std. dev."], ["people", "mean", "sd"]),
        (["arm", "outcome", "n", "mean", "sd", "r"],
         ["factor", "outcome", "people", "mean", "sd", "correlation"]),
        (["town", "n (none)", "M (none)", "SD (none)", "n (letter)", "M (letter)", "SD (letter)"],
         ["site", "people", "mean", "sd", "people", "mean", "sd"]),
        (["group", "n", "trust_mean", "trust_sd"], ["factor", "people", "mean", "sd"]),
        # Rows of people, effects, and less than a table of arms.
        (["id", "condition", "age", "item_1", "item_2"], []),
        (["group", "mean", "sd"], []),
        (["events", "total"], []),
        (["group", "n", "trust_mean", "help_sd"], []),
    ],
)  # fmt: skip
def test_columns_of_arms_are_known_by_their_names(names: list[str], expected: list[str]) -> None:
    assert [part.role for part in parts(names).values()] == expected


def read(folder: Path, table: pd.DataFrame, decided: dict[str, str]) -> pd.DataFrame:
    """The arms of a file whose draft has been decided; every TODO has to be among these."""
    folder.mkdir()
    table.to_csv(folder / "arms.csv", index=False)
    text = draft("letters", folder / "arms.csv", VOCABULARY)
    shared = {
        "title": "Letters", "citation": "letters", "clustered": "false", "type": "randomised",
        "randomised": "true", "country": "DK", "sector": "elderly_care", "role": "professional",
        "arrangement": "not_applicable", "response_mode": "self_report_experience",
        "factor": "task_type",
    }  # fmt: skip
    for key, value in (shared | decided).items():
        text = re.sub(rf"(\b{key}: \[?)TODO", rf"\g<1>{value}", text)
        text = re.sub(r"^( *)TODO(:)$", r"\g<1>task_type\2", text, flags=re.M)
    assert not open_points(text), text
    (folder / "codebook.yaml").write_text(text, encoding="utf-8")
    (folder.parent / "manifest.yaml").write_text("{}\n", encoding="utf-8")
    book = load(folder, VOCABULARY, folder.parent / "manifest.yaml")
    return harmonize_file(book, b"").tables["arms"]


NUMBERS = [[52, 49], [4.31, 4.58], [1.22, 1.18]]  # of people, means and standard deviations
OF = {"construct": "threat_quality", "outcomes": "threat_quality", "min": "1", "max": "7"}
LEVELS = [*VOCABULARY["factors"]["task_type"]["levels"]][:2]


@pytest.mark.parametrize("header", [("n", "mean", "sd"), ("Sample size", "M", "Std. dev.")])
def test_a_draft_of_arms_reads_once_its_open_points_are_decided(
    tmp_path: Path, header: tuple[str, str, str]
) -> None:
    table = pd.DataFrame({"arm": LEVELS, **dict(zip(header, NUMBERS, strict=True))})
    found = read(tmp_path / "letters", table, OF | {one: one for one in LEVELS})
    people, means, sds = NUMBERS
    assert found["people"].tolist() == people
    # In per cent of the scale from 1 to 7, as scores of rows are.
    assert found["mean"].tolist() == pytest.approx([100 * (mean - 1) / 6 for mean in means])
    assert found["sd"].tolist() == pytest.approx([100 * sd / 6 for sd in sds])


def test_arms_side_by_side_ask_of_which_arm_a_column_is(tmp_path: Path) -> None:
    names = ["n (none)", "M (none)", "SD (none)", "n (letter)", "M (letter)", "SD (letter)"]
    table = pd.DataFrame([[52, 4.31, 1.22, 49, 4.58, 1.18]], columns=names)
    table.to_csv(tmp_path / "arms.csv", index=False)
    text = draft("letters", tmp_path / "arms.csv", VOCABULARY)
    assert text.count("arm: {TODO: TODO} # factor and level; the name says none") == 3
    assert text.count("arm: {TODO: TODO} # factor and level; the name says letter") == 3


def test_the_outcome_in_a_name_is_shown_and_several_studies_are_asked_about(
    tmp_path: Path,
) -> None:
    table = pd.DataFrame({"study": ["a", "b"], "arm": LEVELS, "n": [9, 8], "events_trust": [3, 2]})
    table.to_csv(tmp_path / "arms.csv", index=False)
    text = draft("letters", tmp_path / "arms.csv", VOCABULARY)
    assert "as: events # guess: the name\n    construct: TODO # the name says trust" in text
    assert "as: TODO # a folder is of one study" in text
    assert [point for point in open_points(text) if "clustered" in point]


@pytest.mark.parametrize(
    ("header", "kind"),
    [("arm,n,mean,sd,n,width", "a table of arms"), ("study,OR,OR,lower,upper,width", "published")],
)
def test_columns_of_one_name_are_said_and_stop_nothing(
    tmp_path: Path, header: str, kind: str
) -> None:
    (tmp_path / "table.csv").write_text(f"{header}\n1,20,3,1,2,5\n2,20,4,1,2,6\n", "utf-8")
    text = draft("trials", tmp_path / "table.csv", VOCABULARY)
    assert kind in text
    (again,) = {name for name in header.split(",") if header.split(",").count(name) > 1}
    assert text.count(f"  - name: {again}\n") == 1
    assert "several columns are called so" in text.partition(f"- name: {again}\n")[2].split("\n")[0]
    assert "ids: row_numbers" in text, "a width numbers nothing, though 'id' is in the word"


@pytest.mark.parametrize(
    "header",
    [
        "id,t,p,r,n,group,M,sd",
        "id,p,n,study,t,age",
        "id,study,r,n,age",
        "id,group,n_1,n_2,m_1,sd_1",
    ],
)
def test_a_survey_whose_items_have_names_of_statistics_is_no_table_of_them(
    tmp_path: Path, header: str
) -> None:
    rows = (",".join([str(k), *(str((k * j) % 6) for j in range(1, header.count(",") + 1))])
            for k in range(1, 25))  # fmt: skip
    (tmp_path / "table.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    text = draft("survey", tmp_path / "table.csv", VOCABULARY)
    assert "design: published" not in text
    assert "table of arms" not in text


def test_no_words_of_people_are_in_a_draft_of_arms(tmp_path: Path) -> None:
    said = "My boss hit me in May and nobody wanted to see it"
    (tmp_path / "table.csv").write_text(
        f"id,M,SD,n,question\n1,3,4,20,{said}\n2,3,4,11,{said} again\n", "utf-8"
    )
    text = draft("survey", tmp_path / "table.csv", VOCABULARY)
    assert "table of arms" in text
    assert "boss" not in text
