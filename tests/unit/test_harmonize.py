"""From raw answers to the harmonized tables: what is kept, what it means, and that it adds up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import (
    EXPORT,
    INTERVIEWS,
    KEY,
    PROJECT,
    QUALTRICS,
    ROWS,
    TABLE,
    VOCABULARY,
    codebook_of,
    command,
    harmonized,
    interview_study,
    qualtrics_study,
    sav_study,
    table_study,
)

from metastudy import pseudonyms, tables
from metastudy.errors import BadInput
from metastudy.harmonize import REPORT, save
from metastudy.scores import scores


def by_person(table: pd.DataFrame, ids: list[str], item: str) -> pd.DataFrame:
    people = pseudonyms.persons("small", ids, KEY)
    return table[table["item_id"] == item].set_index("respondent_id").loc[people]


def test_a_reverse_keyed_answer_is_turned_by_the_declared_bounds(tmp_path: Path) -> None:
    table = harmonized(table_study(tmp_path)).tables["measurements"]
    q2 = by_person(table, ["1", "2", "3"], "q2")
    assert q2["value_raw"].tolist() == [7, 1, 2]
    assert q2["value_aligned"].tolist() == [1, 7, 6]
    assert q2["value_pomp"].tolist() == pytest.approx([0, 100, 100 * 5 / 6])
    assert q2["reverse_keyed"].all()


def test_every_missing_answer_has_its_reason(tmp_path: Path) -> None:
    result = harmonized(table_study(tmp_path))
    q1 = by_person(result.tables["measurements"], ["1", "3", "4"], "q1")
    assert q1["missing_reason"].fillna("answered").tolist() == ["answered", "dont_know", "system"]
    assert q1["value_raw"].isna().tolist() == [False, True, True]
    assert result.report["missing"] == {"dont_know": 1, "refused": 1, "system": 1}


def test_an_answer_label_becomes_its_number(tmp_path: Path) -> None:
    table = harmonized(qualtrics_study(tmp_path)).tables["measurements"]
    assert by_person(table, ["R_6"], "QID2_1")["value_raw"].tolist() == [5]


def test_spss_and_text_files_give_the_same_tables(tmp_path: Path) -> None:
    rows = ROWS.replace("4,Bø", "4,")
    spss, text = (
        harmonized(sav_study(tmp_path / "a")),
        harmonized(table_study(tmp_path / "b", rows)),
    )
    for name, table in spss.tables.items():
        pd.testing.assert_frame_equal(table, text.tables[name])


def test_levels_come_from_the_codebook_and_an_empty_cell_is_no_assignment(tmp_path: Path) -> None:
    rows = ROWS.replace("4,Bø,2", "4,Bø,")
    table = harmonized(table_study(tmp_path, rows)).tables["assignments"]
    people = pseudonyms.persons("small", ["1", "2", "3"], KEY)
    assert table.set_index("respondent_id").loc[people, "level"].tolist() == [
        "complementary",
        "core",
        "complementary",
    ]
    assert len(table) == 3
    assert table["randomised"].all()


# --- exclusions ----------------------------------------------------------------------------------


def test_rows_leave_by_the_first_rule_that_fits_and_the_counts_add_up(tmp_path: Path) -> None:
    result = harmonized(qualtrics_study(tmp_path))
    report = result.report
    assert list(report["excluded"].items()) == [
        ("no_consent", 1),
        ("preview", 1),
        ("duplicate_response", 1),
        ("same_person", 1),
        ("breakoff", 1),
    ]
    assert report["rows_read"] == report["rows_kept"] + sum(report["excluded"].values()) == 7
    gone = result.tables["exclusions"].set_index("row")["rule"].to_dict()
    assert gone == {
        5: "preview",
        6: "no_consent",
        7: "duplicate_response",
        8: "same_person",
        10: "breakoff",
    }
    assert len(result.tables["respondents"]) == report["rows_kept"]


def test_of_two_answers_of_one_person_the_first_complete_one_stays(tmp_path: Path) -> None:
    kept = harmonized(qualtrics_study(tmp_path)).tables["respondents"]["respondent_id"]
    assert set(kept) == set(pseudonyms.persons("small", ["R_1", "R_6"], KEY))


def test_a_rule_that_fits_nobody_is_counted_as_zero(tmp_path: Path) -> None:
    export = EXPORT.replace("Survey Preview", "IP Address")
    assert harmonized(qualtrics_study(tmp_path, export)).report["excluded"]["preview"] == 0


def test_a_codebook_may_say_where_the_rule_of_consent_stands(tmp_path: Path) -> None:
    text = QUALTRICS.replace(
        "  - {rule: breakoff", "  - {rule: asked, variable: QID1}\n  - {rule: breakoff"
    )
    excluded = harmonized(qualtrics_study(tmp_path, codebook=text)).report["excluded"]
    assert list(excluded) == ["preview", "duplicate_response", "same_person", "asked", "breakoff"]


def test_what_is_wrong_in_a_row_that_leaves_does_no_harm(tmp_path: Path) -> None:
    export = EXPORT.replace("R_2,,1,2,3", "R_2,,1,77,x")
    assert harmonized(qualtrics_study(tmp_path, export)).report["rows_kept"] == 2


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=12))
def test_a_rule_on_duplicates_leaves_each_value_once(tokens: list[str]) -> None:
    from metastudy.codebook import Rule
    from metastudy.harmonize import _leaves
    from metastudy.readers import RawTable

    data = pd.DataFrame({"token": pd.Series(tokens, dtype="str")})
    raw = RawTable(data, np.arange(len(tokens)), ("token",))
    answered = pd.DataFrame(index=data.index)
    leaves = _leaves(
        Rule("once", "token", duplicates="keep_first"), np.ones(len(tokens), bool), raw, answered
    )
    stay = [token for token, gone in zip(tokens, leaves, strict=True) if not gone and token]
    assert sorted(stay) == sorted(set(tokens) - {""})
    assert not leaves[data["token"] == ""].any()


def test_columns_that_nobody_mentions_are_reported(tmp_path: Path) -> None:
    report = harmonized(qualtrics_study(tmp_path)).report
    assert report["unmapped"] == ["startDate (StartDate)"]


# --- interviews ----------------------------------------------------------------------------------


def test_interviews_become_codings_readings_and_respondents(tmp_path: Path) -> None:
    result = harmonized(interview_study(tmp_path))
    codings, readings = result.tables["codings"], result.tables["readings"]
    first, second = pseudonyms.persons("small", ["1", "2"], KEY)
    assert result.tables["respondents"].set_index("respondent_id")["country"].to_dict() == {
        first: "GB-SCT",
        second: "FI",
    }
    assert sorted(codings["code_id"]) == ["role_change", "role_change", "uncertainty"]
    assert codings["is_double_coded"].all()
    assert codings["segment_id"].nunique() == 2
    assert readings["source_id"].value_counts().to_dict() == {first: 2, second: 1}
    assert set(readings["coder_id"]) == {"coder-1", "coder-2"}


def test_a_coder_who_applied_no_code_has_read_the_text_all_the_same(tmp_path: Path) -> None:
    result = harmonized(interview_study(tmp_path))
    second = pseudonyms.persons("small", ["2"], KEY)[0]
    assert second not in set(result.tables["codings"]["source_id"])
    assert second in set(result.tables["readings"]["source_id"])


def test_no_name_of_a_coder_or_a_place_comes_through(tmp_path: Path) -> None:
    result = harmonized(interview_study(tmp_path))
    text = "".join(table.to_csv() for table in result.tables.values()) + json.dumps(result.report)
    assert not any(name in text for name in ("Ann", "Bob", "Home"))


@pytest.mark.parametrize(
    ("codebook", "project", "found"),
    [
        (INTERVIEWS.replace("  Not sure: uncertainty\n", ""), PROJECT, "the code 'Not sure'"),
        (INTERVIEWS.replace("Not sure", "Not shure"), PROJECT, "Did you mean 'Not sure'?"),
        (INTERVIEWS, PROJECT.replace("Ann;Bob", "Ann;Rob"), "'Ann;Rob'"),
        (INTERVIEWS, PROJECT.replace("Finland", "Filand"), "'Filand'"),
        (INTERVIEWS, PROJECT.replace('name="Look again"', 'name="Not sure"'), "stands for 2 codes"),
    ],
    ids=["unmapped", "misspelt", "coder", "country", "ambiguous"],
)
def test_an_unknown_label_in_a_project_is_refused(
    tmp_path: Path, codebook: str, project: str, found: str
) -> None:
    with pytest.raises(BadInput) as caught:
        harmonized(interview_study(tmp_path, project, codebook))
    assert found in str(caught.value)
    assert {problem.code for problem in caught.value.problems} == {"unknown-label"}


def test_codes_of_the_same_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    project = PROJECT.replace('name="Look again"', 'name="Not sure"')
    codebook = INTERVIEWS.replace("Not sure:", "Strain/Not sure:").replace("Look again", "Not sure")
    codings = harmonized(interview_study(tmp_path, project, codebook)).tables["codings"]
    assert sorted(set(codings["code_id"])) == ["role_change", "uncertainty"]


# --- pseudonyms ----------------------------------------------------------------------------------


def test_pseudonyms_change_with_the_key_and_with_the_study() -> None:
    one, other = pseudonyms.persons("a", ["7"], b"k"), pseudonyms.persons("a", ["7"], b"l")
    assert one != other
    assert one[0] is not None
    assert one[0].removeprefix("a-") != str(pseudonyms.persons("b", ["7"], b"k")[0])[2:]
    assert len(one[0]) == len("a-") + 16


def observed(tmp_path: Path) -> Path:
    folder = table_study(tmp_path)
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("provenance: simulated", "provenance: observed"))
    (folder.parent / "manifest.yaml").write_text("{}")
    return folder


def test_real_data_need_a_key_from_a_file_outside_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codebook = codebook_of(observed(tmp_path / "repository"))
    monkeypatch.delenv(pseudonyms.KEY_FILE_VARIABLE, raising=False)
    with pytest.raises(BadInput, match="no key file"):
        pseudonyms.key(codebook, {"key": "public"})
    (tmp_path / "repository" / ".git").mkdir()
    for folder, said in (("repository", "inside the repository"), ("", "a key of 5 bytes")):
        path = tmp_path / folder / "key"
        path.write_text("short")
        with pytest.raises(BadInput, match=said):
            pseudonyms.key(codebook, {"key_file": str(path)})
    path.write_text("long enough to be a secret\n")
    monkeypatch.setenv(pseudonyms.KEY_FILE_VARIABLE, str(path))
    assert pseudonyms.key(codebook, {}) == b"long enough to be a secret"


# --- tables and scores ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [table_study, qualtrics_study, interview_study, sav_study])
def test_two_runs_write_the_same_bytes(tmp_path: Path, make: object) -> None:
    assert callable(make)
    folder = make(tmp_path / "raw")
    for out in ("a", "b"):
        save(harmonized(folder), tmp_path / out)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted([*(f"{name}.parquet" for name in tables.TABLES), REPORT])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for name in tables.TABLES:
        read = tables.read(tmp_path / "a" / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, harmonized(folder).tables[name])


def test_the_order_of_raw_rows_does_not_matter(tmp_path: Path) -> None:
    head, *rows = ROWS.splitlines(keepends=True)
    one = harmonized(table_study(tmp_path / "a"))
    other = harmonized(table_study(tmp_path / "b", head + "".join(reversed(rows))))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name])


def test_a_table_that_breaks_its_schema_is_not_passed_on(tmp_path: Path) -> None:
    table = harmonized(table_study(tmp_path)).tables["measurements"]
    for column, value in (("value_pomp", 101.0), ("construct", "nonsense"), ("item_id", "q1")):
        with pytest.raises(BadInput):
            tables.check("measurements", table.assign(**{column: value}), VOCABULARY)


def test_a_score_needs_two_thirds_of_the_items() -> None:
    values = {"a": [0.0, 60.0, np.nan], "b": [50.0, np.nan, np.nan], "c": [10.0, 20.0, 60.0]}
    rows = [("s", who, None, "x", value) for who, of in values.items() for value in of]
    columns = ["study_id", "respondent_id", "vignette", "construct", "value_pomp"]
    table = scores(pd.DataFrame(rows, columns=columns))
    assert table["answered"].tolist() == [2, 1, 3]
    assert table["score"].tolist() == pytest.approx([30, np.nan, 30], nan_ok=True)


def test_the_command_writes_every_table_and_says_how_many_rows(tmp_path: Path) -> None:
    done = command(table_study(tmp_path / "raw"), tmp_path / "out" / "small")
    assert (done.returncode, done.stdout) == (0, "small: 4 rows read, 4 kept\n")
    assert json.loads((tmp_path / "out" / "small" / REPORT).read_text())["rows_kept"] == 4


def test_unused_vignettes_stay_empty_and_typed(tmp_path: Path) -> None:
    table = harmonized(table_study(tmp_path, codebook=TABLE)).tables["measurements"]
    assert table["vignette"].isna().all()
    assert table["vignette"].dtype == "str"
