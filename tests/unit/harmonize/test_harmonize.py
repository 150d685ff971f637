"""From raw answers to the harmonized tables: what is kept, what it means, and that it adds up."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.raw_studies import (
    CASES,
    EXPORT,
    FOUND,
    INTERVIEWS,
    KEY,
    PROJECT,
    QUALTRICS,
    RATED,
    ROWS,
    TABLE,
    case_study,
    codebook_of,
    command,
    harmonized,
    interview_study,
    published_study,
    qualtrics_study,
    sav_study,
    table_study,
)
from metastudy.common.problems import BadInput
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import Harmonized, harmonize, save
from metastudy.harmonized import parquet, schema
from metastudy.harmonized.schema import REPORT
from metastudy.readers import read
from metastudy.readers.raw import RawProject, RawTable


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


@pytest.mark.parametrize(
    "text", ["ann@planted.example", "planted " * 20, "2020-03-02 08:28", "10.0.0.7"]
)
def test_what_may_identify_a_person_is_not_repeated_in_a_message(tmp_path: Path, text: str) -> None:
    rows = ROWS.replace("4,Bø,2,,98", f"4,Bø,2,{text},98\n{text},Bø,1,1,1\n{text},Bø,1,1,1")
    with pytest.raises(BadInput) as caught:
        harmonized(table_study(tmp_path, rows))
    assert {problem.code for problem in caught.value.problems} == {"off-scale", "duplicate-id"}
    assert text.strip() not in str(caught.value)
    assert f"a text of {len(text.strip())} characters" in str(caught.value)


def test_what_is_wrong_in_a_row_that_leaves_does_no_harm(tmp_path: Path) -> None:
    export = EXPORT.replace("R_2,,1,2,3", "R_2,,1,77,x")
    assert harmonized(qualtrics_study(tmp_path, export)).report["rows_kept"] == 2


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=12))
def test_a_rule_on_duplicates_leaves_each_value_once(tokens: list[str]) -> None:
    from metastudy.codebook.codebook import Rule
    from metastudy.harmonize.exclusions import _leaves
    from metastudy.readers.raw import RawTable

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
    assert report["unmapped"] == ["startDate"]  # not what is above it: that may be anything


# --- weights, clusters, quality, arms ------------------------------------------------------------

MARKED = """\
  - {name: village, as: cluster}
  - {name: w, as: weight, missing: {0: not_asked}}
  - {name: post, as: role, values: {p: professional, m: manager}}
quality:
  - {rule: too_fast, variable: seconds, below_share_of_median: 0.5}
  - {rule: same_answer, constant_over: [threat_job]}
  - {rule: inattentive, variable: check, keep: [blue]}
sensitivity: [design_based]
exclude:
  - {rule: test_row, variable: check, drop: [test]}
outcomes:"""

MARKED_ROWS = (
    "nr,home,arm,q1,q2,village,w,post,seconds,check\n"
    "1,Aa,1,4,4,x,0.5,p,100,blue\n"
    "2,Aa,2,7,1,x,2,m,30,red\n"
    "3,Bø,1,98,2,y,0,p,,blue\n"
    "4,Bø,2,3,,y,1.25,p,200,\n"
    "5,Bø,2,3,,y,nothing,p,2,test\n"
    "6,Bø,2,5,5,y,1,p,20,red\n"
)


def marked(tmp_path: Path, rows: str = MARKED_ROWS) -> Harmonized:
    return harmonized(table_study(tmp_path, rows, TABLE.replace("outcomes:", MARKED, 1)))


def respondent(result: Harmonized, one: str) -> pd.Series:
    (person,) = pseudonyms.persons("small", [one], KEY)
    return result.tables["respondents"].set_index("respondent_id").loc[person]


def test_rules_of_quality_mark_rows_and_drop_none(tmp_path: Path) -> None:
    result = marked(tmp_path)
    assert {one: respondent(result, one)["qc_status"] for one in "12346"} == {
        "1": "same_answer",  # 4 to an item and to its reverse
        "2": "too_fast+inattentive",  # half of the median of 20, 30, 100 and 200 is 32.5
        "3": "ok",
        "4": "inattentive",  # no answer to the check; one item is no pattern
        "6": "too_fast+same_answer+inattentive",
    }
    assert result.report["quality"] == [
        {"rule": "too_fast", "rows": 2},
        {"rule": "same_answer", "rows": 2},
        {"rule": "inattentive", "rows": 3},
    ]
    assert result.report["rows_kept"] == 5


def test_weights_clusters_and_roles_come_row_by_row(tmp_path: Path) -> None:
    result = marked(tmp_path)
    people = result.tables["respondents"]
    assert [respondent(result, one)["weight"] for one in "124"] == [0.5, 2, 1.25]
    assert np.isnan(respondent(result, "3")["weight"])
    assert respondent(result, "2")["role"] == "manager"
    assert respondent(result, "1")["cluster_id"] == respondent(result, "2")["cluster_id"]
    assert people["cluster_id"].nunique() == 2
    assert not people["cluster_id"].isin(["x", "y"]).any()


@pytest.mark.parametrize("weight", ["0.0", "-1", "", "inf", "much"])
def test_a_weight_is_a_number_above_zero(tmp_path: Path, weight: str) -> None:
    rows = MARKED_ROWS.replace("x,2,m", f"x,{weight},m")
    if weight == "0.0":  # the same text as the missing code 0
        assert np.isnan(respondent(marked(tmp_path, rows), "2")["weight"])
        return
    with pytest.raises(BadInput) as caught:
        marked(tmp_path, rows)
    (problem,) = caught.value.problems
    assert (problem.code, problem.row, problem.column) == ("off-scale", 3, "w")


def test_rows_are_counted_by_arm_before_and_after_each_rule(tmp_path: Path) -> None:
    report = marked(tmp_path).report
    assert report["read_by_arm"] == {"task_type": {"complementary": 2, "core": 4}}
    assert report["excluded_by_arm"] == {"test_row": {"task_type": {"complementary": 0, "core": 1}}}


def test_an_arm_that_two_columns_tell_is_counted_once(tmp_path: Path) -> None:
    text = TABLE.replace(
        "  - {name: q1,",
        "  - {name: arm2, as: factor, randomised: true, "
        "factors: {task_type: {a: complementary, b: core}}}\n"
        "  - {name: q1,",
        1,
    )
    rows = "nr,home,arm,arm2,q1,q2\n1,Aa,1,,1,7\n2,Aa,,b,7,1\n3,Bø,,,3,2\n4,Bø,2,,4,1\n"
    report = harmonized(table_study(tmp_path, rows, text)).report
    assert report["read_by_arm"] == {"task_type": {"complementary": 1, "core": 2}}
    assert report["excluded_by_arm"] == {}


def test_a_study_that_nobody_stays_in_gives_empty_tables_of_the_same_types(tmp_path: Path) -> None:
    rows = MARKED_ROWS.splitlines()[0] + "\n5,Bø,2,3,,y,nothing,p,2,test\n"
    result = marked(tmp_path / "none", rows)
    assert [name for name, table in result.tables.items() if len(table)] == ["exclusions"]
    assert [one["rows"] for one in result.report["quality"]] == [0, 0, 0]
    save(result, tmp_path / "empty")
    save(marked(tmp_path / "some"), tmp_path / "full")
    for name in schema.TABLES:
        empty, full = (
            pyarrow.parquet.read_schema(tmp_path / folder / f"{name}.parquet")
            for folder in ("empty", "full")
        )
        assert empty.equals(full)


# --- cases and published findings ----------------------------------------------------------------


def test_ratings_of_cases_are_minus_one_to_one_with_reasons(tmp_path: Path) -> None:
    result = harmonized(case_study(tmp_path))
    people = pseudonyms.persons("small", ["1", "2", "3", "4"], KEY)
    table = result.tables["case_ratings"].set_index("respondent_id").loc[people]
    assert table["rating"].tolist() == pytest.approx([-1, 1, np.nan, np.nan], nan_ok=True)
    assert table["missing_reason"].fillna("").tolist() == ["", "", "dont_know", "system"]
    assert table["evidence"].fillna("").tolist() == ["q-1", "", "q-7", ""]
    assert table["org_id"].nunique() == 2
    assert result.tables["codings"].empty


def test_a_quote_where_its_id_should_stand_is_refused(tmp_path: Path) -> None:
    for quote in ("We were all open 24 hours", "Jensen", "2020-03-02", "10.0.0.7"):
        with pytest.raises(BadInput) as caught:
            harmonized(case_study(tmp_path / quote, RATED.replace("q-1", quote)))
        (problem,) = caught.value.problems
        assert (problem.code, problem.row, problem.column) == ("free-text", 2, "quote")


def test_a_file_of_another_kind_than_the_codebook_says_is_refused(tmp_path: Path) -> None:
    folder = case_study(
        tmp_path, codebook=CASES.replace("variables:", "codes: {a: ignore}\nvariables:")
    )
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace(", format: csv", ""))
    codebook = codebook_of(folder)
    table = RawTable(pd.DataFrame({"case": ["1"]}, dtype="str"), np.array([2]), ("case",))
    with pytest.raises(BadInput) as caught:
        harmonize(codebook, table, KEY)
    assert caught.value.problems[0].code == "wrong-format"


def test_who_read_a_source_and_applied_no_code_is_among_its_readers(tmp_path: Path) -> None:
    codebook = codebook_of(interview_study(tmp_path))
    raw = read(codebook)
    assert isinstance(raw, RawProject)
    ann, bob = sorted(raw.coders)
    without = harmonize(codebook, raw, KEY).tables["readings"]
    known = pd.DataFrame({"case": [1, 1, 0], "coder": [ann, bob, bob]})
    table = harmonize(codebook, replace(raw, readings=known), KEY).tables["readings"]
    assert (len(without), len(table)) == (3, 4)


def test_findings_become_effects_without_a_key_and_without_persons(tmp_path: Path) -> None:
    codebook = codebook_of(published_study(tmp_path))
    assert pseudonyms.key(codebook, {"key": "public"}) == b"public"
    result = harmonize(codebook, read(codebook), b"any")
    table = result.tables["effects"]
    assert table["finding_id"].tolist() == ["f1", "f2"]
    assert table["direction"].tolist() == ["negative", "null_result"]
    assert table["estimate"].tolist() == pytest.approx([np.nan, 0.02], nan_ok=True)
    assert table["n"].tolist() == pytest.approx([np.nan, 240], nan_ok=True)
    assert table["country"].isna().tolist() == [True, False]
    assert set(table["provenance"]) == {"observed"}
    assert result.tables["respondents"].empty
    assert result.report["rows_kept"] == 2


@pytest.mark.parametrize(
    ("old", "new", "code", "column"),
    [
        (",sd,", ",,", "incomplete-finding", "d"),
        (",sd,", ",metres,", "unknown-label", "unit"),
        ("0.1,sd", "-0.1,sd", "off-scale", "se"),
        (",240,", ",24.5,", "off-scale", "people"),
        (",DK,", ",Denmark,", "unknown-label", "land"),
        ("a label", "ann@town.example", "free-text", "what"),
        ("a label", "02-03-2020", "free-text", "what"),
        ("f1,", "ann@town.example,", "free-text", "nr"),
        ("b2021", "", "incomplete-finding", "paper"),
        ("\nf1", "\nf2", "duplicate-id", "nr"),
    ],
)
def test_a_finding_that_is_not_whole_is_refused(
    tmp_path: Path, old: str, new: str, code: str, column: str
) -> None:
    assert old in FOUND
    with pytest.raises(BadInput) as caught:
        harmonized(published_study(tmp_path, FOUND.replace(old, new)))
    assert (code, column) in {(one.code, one.column) for one in caught.value.problems}


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
        (INTERVIEWS, PROJECT.replace("Ann;Bob", "Ann;Rob"), "a coder who is none"),
        (INTERVIEWS, PROJECT.replace("Finland", "Filand"), "Did you mean 'Finland'?"),
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


# --- nothing private comes through ---------------------------------------------------------------

PLANTED = "Planted"


def everything(folder: Path, out: Path) -> str:
    """All that harmonizing a study writes, as text."""
    save(harmonized(folder), out)
    written = [pd.read_parquet(path).to_csv() for path in sorted(out.glob("*.parquet"))]
    return "".join(written) + (out / REPORT).read_text("utf-8")


def planted_table(tmp_path: Path) -> Path:
    head, *rows = ROWS.splitlines()
    more = [f"{row},{PLANTED} note,x@{PLANTED}.example" for row in rows]
    text = "\n".join([f"{head},remark,mail", *more]).replace("Aa", f"{PLANTED} home")
    return table_study(tmp_path, text.replace("\n1,", f"\n{PLANTED} id,") + "\n")


def planted_export(tmp_path: Path) -> Path:
    export = EXPORT.replace("StartDate", f"{PLANTED} title").replace("Start Date", f"{PLANTED}?")
    export = export.replace("2020-03-02 08:28:09", f"{PLANTED} date").replace("R_6", f"{PLANTED}6")
    return qualtrics_study(tmp_path, export.replace("t7", f"{PLANTED} token"))


def planted_project(tmp_path: Path) -> Path:
    project = PROJECT.replace('name="Ann"', f'name="{PLANTED} Ann"').replace(
        "Ann;", f"{PLANTED} Ann;"
    )
    for old in ('name="First"', 'name="Talk"', 'name="one"', 'name="Talks"'):
        assert old in project
        project = project.replace(old, f'name="{PLANTED} text"')
    project = project.replace("What was said.", f"{PLANTED} words").replace(
        ">Home<", f">{PLANTED}<"
    )
    return interview_study(tmp_path, project)


def planted_spss(tmp_path: Path) -> Path:
    codebook = TABLE.replace("{name: home, as: site}", "{name: home, as: ignore}")
    return sav_study(tmp_path, codebook)


@pytest.mark.parametrize(
    "make", [planted_table, planted_export, planted_project], ids=["csv", "qualtrics", "qdpx"]
)
def test_what_a_person_wrote_or_who_it_was_is_nowhere_in_what_is_written(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    folder = make(tmp_path / "raw")
    data = b"".join(path.read_bytes() for path in folder.iterdir() if path.suffix != ".qdpx")
    if folder.joinpath("talks.qdpx").exists():
        with zipfile.ZipFile(folder / "talks.qdpx") as packed:
            data += packed.read("project.qde")
    assert data.count(PLANTED.encode()) >= 4
    assert PLANTED not in everything(folder, tmp_path / "out" / "small")


def test_places_that_are_not_used_do_not_come_through_either(tmp_path: Path) -> None:
    assert "Bø" not in everything(planted_spss(tmp_path / "raw"), tmp_path / "out" / "small")


# --- pseudonyms ----------------------------------------------------------------------------------


def test_the_digests_of_pandas_are_those_of_the_article() -> None:
    """The vector of appendix A of Aumasson and Bernstein (2012), its bits spread as pandas does."""
    text, key = ("".join(map(chr, range(count))) for count in (15, 16))
    (found,) = pd.util.hash_array(np.array([text], dtype=object), hash_key=key, categorize=False)
    spread = 0xA129CA6149BE45E5
    spread = (spread ^ spread >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    spread = (spread ^ spread >> 27) * 0x94D049BB133111EB % 2**64
    assert found == spread ^ spread >> 31


@given(st.binary(min_size=1, max_size=200), st.binary(min_size=1, max_size=200), st.text())
def test_a_pseudonym_tells_nothing_without_the_whole_key(one: bytes, two: bytes, text: str) -> None:
    first, second = (pseudonyms.digests("a", [text], key)[0] for key in (one, two))
    assert (first == second) == (one == two)


@given(st.lists(st.text(min_size=1), unique=True))
def test_pseudonyms_in_order_of_their_digests_are_in_order_of_the_alphabet(ids: list[str]) -> None:
    digests = pseudonyms.digests("a", ids, KEY)
    spelt = pseudonyms.spelt("a", np.sort(digests))
    assert list(spelt) == sorted(spelt)
    assert set(spelt) == set(pseudonyms.persons("a", ids, KEY))


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


def test_the_key_is_judged_by_the_folder_of_the_project_wherever_its_data_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting folders upwards from the study refused a key beside a project that is not deep."""
    monkeypatch.delenv(pseudonyms.KEY_FILE_VARIABLE, raising=False)
    kept = observed(tmp_path / "elsewhere" / "kept")
    project = tmp_path / "project"
    (project / "config").mkdir(parents=True)
    (project / "config" / "config.yaml").touch()
    (project / "data").symlink_to(kept.parent)
    codebook = codebook_of(project / "data" / kept.name)
    beside, inside = tmp_path / "key", project / "key"
    for path in (beside, inside):
        path.write_text("long enough to be a secret")
    assert pseudonyms.key(codebook, {"key_file": str(beside)})
    with pytest.raises(BadInput, match="inside the repository"):
        pseudonyms.key(codebook, {"key_file": str(inside)})


# --- tables and scores ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [table_study, qualtrics_study, interview_study, sav_study])
def test_two_runs_write_the_same_bytes(tmp_path: Path, make: object) -> None:
    assert callable(make)
    folder = make(tmp_path / "raw")
    for out in ("a", "b"):
        save(harmonized(folder), tmp_path / out)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == sorted([*(f"{name}.parquet" for name in schema.TABLES), REPORT])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    for name in schema.TABLES:
        read = parquet.read(tmp_path / "a" / f"{name}.parquet")
        pd.testing.assert_frame_equal(read, harmonized(folder).tables[name])


def test_the_order_of_raw_rows_does_not_matter(tmp_path: Path) -> None:
    head, *rows = ROWS.splitlines(keepends=True)
    one = harmonized(table_study(tmp_path / "a"))
    other = harmonized(table_study(tmp_path / "b", head + "".join(reversed(rows))))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name])


TWO_ARMS = TABLE.replace(
    "  - {name: q1,",
    "  - {name: arm2, as: factor, randomised: true, "
    "factors: {task_type: {a: complementary, b: core}}}\n  - {name: q1,",
    1,
)


def test_a_person_in_two_levels_of_one_factor_is_not_passed_on(tmp_path: Path) -> None:
    rows = "nr,home,arm,arm2,q1,q2\n1,Aa,1,,1,7\n2,Aa,,b,7,1\n"
    assert len(harmonized(table_study(tmp_path / "a", rows, TWO_ARMS)).tables["assignments"]) == 2
    with pytest.raises(BadInput, match="respondent_id, vignette, factor"):
        harmonized(table_study(tmp_path / "b", rows.replace("1,Aa,1,,", "1,Aa,1,b,"), TWO_ARMS))


def test_a_table_of_several_row_groups_is_the_same_as_one_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = MARKED_ROWS + "".join(
        f"{n},Aa,{n % 3 or ''},{n % 7 + 1},,y,1,p,50,blue\n" for n in range(7, 40)
    )
    result = marked(tmp_path / "raw", rows)
    save(result, tmp_path / "one")
    monkeypatch.setattr(parquet, "ROWS", 10)
    for out in ("many", "again"):
        save(marked(tmp_path / out / "raw", rows), tmp_path / out / "out")
    for name, table in result.tables.items():
        one, many, again = (
            tmp_path / folder / f"{name}.parquet" for folder in ("one", "many/out", "again/out")
        )
        groups = [pyarrow.parquet.ParquetFile(path).num_row_groups for path in (one, many)]
        if name in ("respondents", "assignments", "measurements"):
            assert groups[0] == 1
            assert groups[1] > 3
        pd.testing.assert_frame_equal(parquet.read(many), table)
        pd.testing.assert_frame_equal(pd.read_parquet(many), pd.read_parquet(one))
        assert many.read_bytes() == again.read_bytes()


def test_the_command_writes_every_table_and_says_how_many_rows(tmp_path: Path) -> None:
    done = command(table_study(tmp_path / "raw"), tmp_path / "out" / "small")
    assert (done.returncode, done.stdout) == (0, "small: 4 rows read, 4 kept\n")
    assert json.loads((tmp_path / "out" / "small" / REPORT).read_text())["rows_kept"] == 4


def test_unused_vignettes_stay_empty_and_typed(tmp_path: Path) -> None:
    table = harmonized(table_study(tmp_path, codebook=TABLE)).tables["measurements"]
    assert table["vignette"].isna().all()
    assert table["vignette"].dtype == "str"
