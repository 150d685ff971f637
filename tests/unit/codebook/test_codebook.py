"""What a codebook and a vocabulary may say, and what is said when they say something else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from helpers.raw_studies import (
    CASES,
    FINDINGS,
    TABLE,
    VOCABULARY,
    case_study,
    codebook_of,
    published_study,
    table_study,
)
from helpers.repository import ROOT
from metastudy.codebook import vocabulary
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.common.text import canonical
from metastudy.common.yaml_document import read_yaml


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        codebook_of(folder)
    return caught.value.problems


def problems_of_load(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        load(folder, VOCABULARY)
    return caught.value.problems


def changed(tmp_path: Path, old: str, new: str) -> list[Problem]:
    assert old in TABLE
    return problems(table_study(tmp_path, codebook=TABLE.replace(old, new, 1)))


def test_a_sound_codebook_becomes_plain_objects(tmp_path: Path) -> None:
    codebook = codebook_of(table_study(tmp_path))
    assert codebook.study.id == "small"
    assert [item.keying for item in codebook.having("item")] == ["positive", "reverse"]
    assert codebook.having("factor")[0].factors == {
        "task_type": {"1": "complementary", "2": "core"}
    }
    assert codebook.exposures[0].name == "task_type"


@pytest.mark.parametrize(
    "study", sorted(path.parent.name for path in ROOT.glob("data/raw/*/c*.yaml"))
)
def test_the_codebooks_that_ship_are_sound(study: str) -> None:
    assert codebook_of(ROOT / "data" / "raw" / study).study.id == study


def test_a_linked_study_has_the_name_of_its_link(tmp_path: Path) -> None:
    kept = table_study(tmp_path / "elsewhere")
    (tmp_path / "raw").mkdir()
    for name in ("other", "small`touch ran`"):
        (tmp_path / "raw" / name).symlink_to(kept)
        (wrong,) = problems_of_load(tmp_path / "raw" / name)
        assert wrong.column == "study.id"
        assert wrong.expected.startswith(f"'{name}'")
    (tmp_path / "raw" / "small").symlink_to(kept)
    assert load(tmp_path / "raw" / "small", VOCABULARY).study.id == "small"


@pytest.mark.parametrize("name", ["figures", "index"])
def test_no_study_has_the_name_of_a_page_of_the_report(tmp_path: Path, name: str) -> None:
    folder = table_study(tmp_path).rename(tmp_path / name)
    book = folder / "codebook.yaml"
    book.write_text(book.read_text("utf-8").replace("id: small", f"id: {name}"), "utf-8")
    (problem,) = problems_of_load(folder)
    assert problem.column == "study.id"
    assert problem.expected == "another name than figures, index"


def test_a_misspelt_key_names_line_place_and_the_right_key(tmp_path: Path) -> None:
    (problem, *rest) = changed(tmp_path, "construct: threat_job", "constuct: threat_job")
    assert problem.code == "codebook"
    assert problem.study == "small"
    assert problem.file.endswith("small/codebook.yaml")
    assert problem.column == "variables[3].constuct"
    assert problem.row == "17 (line)"
    assert "Did you mean 'construct'?" in problem.found
    assert "17" in problem.fix
    assert not rest


def test_all_problems_of_a_codebook_come_at_once(tmp_path: Path) -> None:
    text = (
        TABLE.replace("task_type: {1", "task_typ: {1")
        .replace("dont_know", "dont_knov")
        .replace("as: site", "as: sight")
        .replace("min: 1, max: 7, keying", "min: 7, max: 1, keying")
    )
    found = problems(table_study(tmp_path, codebook=text))
    columns = {problem.column for problem in found}
    assert {
        "variables[1].as",
        "variables[2].factors.task_typ",
        "variables[3].missing.98",
        "variables[4].min",
    } <= columns
    assert "Did you mean 'dont_know'?" in str(BadInput(found))


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("as: id", "as: ignore", "no variable with 'as: id'"),
        ("as: site", "as: id", "a second time"),
        ("name: q2", "name: q1", "a second time"),
        (", min: 1, max: 7, missing: {98: dont_know}", "", "no 'min'"),
        ("as: site", "as: site, min: 1", "'min' for 'home', which is 'site'"),
        ("outcomes: [threat_job]", "outcomes: [threat_jop]", "Did you mean 'threat_job'?"),
        ("factor: task_type, type", "factor: involvement_degree, type", "'involvement_degree'"),
        ("type: randomised", "type: measured", "type 'measured' for factor"),
        ("{factor: task_type, ", "{", "none of them"),
        ("2: core", "2: cores", "Did you mean 'core'?"),
        ("98: dont_know", "5: dont_know", "'5' as missing, on a scale from 1 to 7"),
        ("construct: threat_job", "construct: threat_jobs", "Did you mean 'threat_job'?"),
        ("outcomes:", "exclude: [{rule: a, variable: q1}]\noutcomes:", "none of them"),
        ("construct: threat_job", "vignette: nowhere, construct: threat_job", "'nowhere'"),
    ],
)
def test_a_codebook_that_contradicts_itself_is_refused(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    assert any(found in problem.found for problem in changed(tmp_path, old, new))


WEIGHTED = "{name: w, as: weight}"
MATRIX = """\
file: {name: answers.csv, format: matrix}
variables:
  - {name: nr, as: id}
  - {name: who, as: coder}
codes: {Doubt: uncertainty}
"""


def lines(*more: str) -> str:
    """The codebook with lines more among its variables, or at its end if they are no list items."""
    variables = "".join(f"  - {one}\n" for one in more if one.startswith("{"))
    rest = "".join(f"{one}\n" for one in more if not one.startswith("{"))
    return TABLE.replace("outcomes:", variables + "outcomes:") + rest


@pytest.mark.parametrize(
    ("more", "column", "found"),
    [
        ([WEIGHTED], "variables[5]", "declared but used in no analysis"),
        (["sensitivity: [design_based]"], "sensitivity", "without a variable of weights"),
        (["{name: w, as: trait, trait: region}"], "variables[5].values", "no 'values' for 'w'"),
        (["{name: w, as: rating, dimension: x, values: {a: 1}}"], "variables[5].as", "as: rating"),
        (["{name: w, as: finding, field: n}"], "variables[5].as", "as: finding"),
        (["{name: w, as: coder}"], "variables[5].as", "as: coder"),
        (["{name: w, as: role, values: {a: nobody}}"], "variables[5].values.a", "'nobody'"),
        (["quality: [{rule: a, variable: q1}]"], "quality[0]", "none of them"),
        (["quality: [{rule: a, keep: [1]}]"], "quality[0]", "'variable' not given"),
        (["quality: [{rule: ok, variable: q1, keep: [1]}]"], "quality[0].rule", "'ok'"),
        (
            ["quality: [{rule: a, constant_over: [threat_jop]}]"],
            "quality[0].constant_over[0]",
            "Did you mean 'threat_job'?",
        ),
        (
            ["quality: [{rule: a, variable: q1, below_share_of_median: 2}]"],
            "quality[0].below_share_of_median",
            "2",
        ),
    ],
)
def test_what_a_variable_or_rule_needs_beside_it_is_asked_for(
    tmp_path: Path, more: list[str], column: str, found: str
) -> None:
    found_here = problems(table_study(tmp_path, codebook=lines(*more)))
    (problem,) = [one for one in found_here if one.column == column]
    assert found in problem.found
    assert "line" in str(problem.row)


def test_the_same_answer_everywhere_tells_nothing_without_a_reversed_item(tmp_path: Path) -> None:
    text = lines("quality: [{rule: a, constant_over: [threat_job]}]")
    assert codebook_of(table_study(tmp_path / "a", codebook=text)).quality[0].constant_over
    (problem,) = problems(
        table_study(tmp_path / "b", codebook=text.replace(", keying: reverse", ""))
    )
    assert problem.column == "quality[0].constant_over"
    assert "both keyings" in problem.expected


def test_weights_with_the_analysis_that_uses_them_are_sound(tmp_path: Path) -> None:
    text = lines(WEIGHTED, "sensitivity: [design_based]")
    assert codebook_of(table_study(tmp_path, codebook=text)).sensitivity == ("design_based",)


@pytest.mark.parametrize(
    ("design", "old", "new", "found"),
    [
        ("survey", "format: matrix", "format: matrix", "format 'matrix' with design 'survey'"),
        ("cases", "format: matrix", "format: xlsx", "format 'xlsx' with 'codes'"),
        ("interviews", "format: matrix", "format: csv", "format 'csv' with 'codes'"),
        ("cases", "codes: {Doubt: uncertainty}\n", "", "no 'codes'"),
        ("interviews", ", format: matrix", ", format: qdpx", "'as: coder' with format 'qdpx'"),
        ("cases", ", format: matrix", ", format: qdpx, sheet: a", "'sheet' with format 'qdpx'"),
    ],
)
def test_design_format_and_codes_have_to_agree(
    tmp_path: Path, design: str, old: str, new: str, found: str
) -> None:
    folder = table_study(tmp_path)
    head = (folder / "codebook.yaml").read_text().partition("file:")[0]
    text = head.replace("design: experiment", f"design: {design}") + MATRIX.replace(old, new)
    (folder / "codebook.yaml").write_text(text)
    assert any(found in problem.found for problem in problems(folder))


def test_a_matrix_of_codes_and_a_table_of_rated_cases_are_sound(tmp_path: Path) -> None:
    folder = table_study(tmp_path / "a")
    head = (folder / "codebook.yaml").read_text().partition("file:")[0]
    text = head.replace("design: experiment", "design: interviews") + MATRIX
    (folder / "codebook.yaml").write_text(text)
    assert codebook_of(folder).only("coder") is not None
    (rating,) = codebook_of(case_study(tmp_path / "b")).having("rating")
    assert (rating.dimension, rating.evidence) == ("openness", "quote")
    assert codebook_of(folder).place("who") == ("variables", 1, "name")


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("between: 0", "between: 2", "variables[2].values.between"),
        ("dimension: openness", "dimension: opennes", "variables[2].dimension"),
        ("0: Between, ", "", "vocabulary.dimensions.openness.poles"),
        ("    dimension: openness\n", "", "variables[2].dimension"),
    ],
)
def test_a_rating_is_minus_one_to_one_on_a_known_dimension(
    tmp_path: Path, old: str, new: str, column: str
) -> None:
    assert old in CASES
    found = problems(case_study(tmp_path, codebook=CASES.replace(old, new)))
    assert column in {problem.column for problem in found}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("field: verification", "field: source", "no variable with 'field: verification'"),
        ("0: null_result", "0: nothing", "'nothing'"),
        ("asked: measured", "asked: guessed", "'guessed'"),
        ("as: finding, field: se", "as: trait, trait: tenure_yrs", "with design 'published'"),
        ("field: se}", "field: n}", "'n' a second time"),
    ],
)
def test_published_findings_say_what_a_finding_needs(
    tmp_path: Path, old: str, new: str, found: str
) -> None:
    assert old in FINDINGS
    said = problems(published_study(tmp_path, codebook=FINDINGS.replace(old, new)))
    assert any(found in problem.found for problem in said)


@pytest.mark.parametrize("key", ["country", "sector", "role", "arrangement"])
def test_a_study_may_leave_its_places_open(tmp_path: Path, key: str) -> None:
    folder = table_study(tmp_path)
    path = folder / "codebook.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(f"  {key}: ")))
    assert getattr(codebook_of(folder).study, key) == ""


def test_an_attribute_that_is_compared_by_has_to_be_said(tmp_path: Path) -> None:
    by_role = TABLE + "  - {attribute: role, type: measured}\n"
    assert codebook_of(table_study(tmp_path / "a", codebook=by_role))
    folder = table_study(tmp_path / "b", codebook=by_role)
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("  role: professional\n", ""))
    (problem,) = problems(folder)
    assert problem.column == "exposures[1].attribute"
    assert "'role', of which neither a variable nor `study` says anything" in problem.found


def test_a_folder_is_called_as_its_study(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    folder = folder.rename(tmp_path / "other")
    (problem,) = [one for one in problems(folder) if one.column == "study.id"]
    assert "'small'" in problem.found
    assert "'other'" in problem.expected


def test_a_key_that_stands_twice_is_an_error_with_both_lines(tmp_path: Path) -> None:
    folder = table_study(tmp_path, codebook=TABLE + "outcomes: [threat_job]\n")
    (problem,) = problems(folder)
    assert "'outcomes' twice" in problem.found
    assert problem.row == "22 (line)"


@pytest.mark.parametrize("text", ["study: [", "a: b: c", "study: &a [*a]", "\tx: 1", "", "- 1"])
def test_a_codebook_that_is_no_codebook_is_refused_with_its_place(
    tmp_path: Path, text: str
) -> None:
    folder = table_study(tmp_path)
    (folder / "codebook.yaml").write_text(text)
    assert all(problem.code == "codebook" for problem in problems(folder))


def test_a_codebook_in_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    (folder / "codebook.yaml").write_bytes("study: {title: Bø}".encode("latin-1"))
    assert [problem.code for problem in problems(folder)] == ["encoding"]


def test_yaml_texts_stay_what_people_wrote(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("{NO: no, 08: 010, 1.0: 1:30, day: 2020-01-01, on: true}")
    data = read_yaml(path).data
    assert data == {"NO": "no", "08": "010", "1.0": "1:30", "day": "2020-01-01", "on": True}


@pytest.mark.parametrize(
    ("raw", "text"),
    [(1.0, "1"), ("2.0", "2"), (" 1 ", "1"), (44.5, "44.5"), ("08", "08"), ("TRUE", "True")],
)
def test_a_raw_value_has_one_spelling(raw: object, text: str) -> None:
    assert canonical(raw) == text
    assert canonical(canonical(raw)) == text


# --- provenance ----------------------------------------------------------------------------------


def test_a_real_file_under_the_simulated_flag_is_refused(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    with (folder / "answers.csv").open("a") as stream:
        stream.write("5,Aa,1,1,7\n")
    (problem,) = problems(folder)
    assert (problem.code, problem.study) == ("provenance", "small")
    assert "simulated" in problem.found
    assert "observed" in problem.fix


def test_a_simulated_file_under_the_observed_flag_is_refused(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    path = folder / "codebook.yaml"
    path.write_text(path.read_text().replace("provenance: simulated", "provenance: observed"))
    (problem,) = problems(folder)
    assert problem.code == "provenance"
    assert "observed" in problem.found


def test_a_missing_data_file_is_named(tmp_path: Path) -> None:
    folder = table_study(tmp_path)
    (folder / "answers.csv").rename(folder / "answer.csv")
    (problem,) = problems(folder)
    assert problem.code == "missing-file"
    assert problem.file.endswith("small/answers.csv")
    assert "Did you mean 'answer.csv'?" in problem.found


# --- the vocabulary ------------------------------------------------------------------------------


def vocabulary_problems(tmp_path: Path, change: dict[str, object]) -> str:
    data = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text())
    for section, entries in change.items():
        data[section] = (
            {**data.get(section, {}), **entries} if isinstance(entries, dict) else entries
        )
    path = tmp_path / "vocabulary.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(BadInput) as caught:
        vocabulary.load(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contries": {"XX": {"label": "x"}}}, "Did you mean 'countries'?"),
        ({"families": {"f": {"label": "x", "module": "thret"}}}, "Did you mean 'threat'?"),
        ({"codes": {"c": {"label": "x", "branch": "b", "family": "strain"}}}, "families"),
        ({"factors": {"f": {"label": "x", "levels": {"only": "One"}}}}, "at least two levels"),
        ({"sectors": {"s": {"lable": "x"}}}, "Did you mean 'label'?"),
        ({"modules": {"m": {"label": "x", "question": "?", "model": "magic"}}}, "'magic'"),
        ({"roles": None}, "entries by name"),
    ],
)
def test_a_vocabulary_with_a_mistake_is_refused(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    assert said in vocabulary_problems(tmp_path, change)


ADDITION = """\
vocabulary:
  constructs:
    envy: {label: Envy, definition: A wish., direction: more envy, family: perceived_threat}
"""


def test_a_study_may_add_a_construct_and_use_it(tmp_path: Path) -> None:
    text = TABLE.replace("threat_job", "envy") + ADDITION
    codebook = codebook_of(table_study(tmp_path, codebook=text))
    assert codebook.vocabulary.label("constructs", "envy") == "Envy"
    assert codebook.vocabulary.module("envy") == "threat"
    assert "envy" not in VOCABULARY["constructs"]


def test_a_study_may_not_redefine_a_construct(tmp_path: Path) -> None:
    text = TABLE + ADDITION.replace("envy:", "threat_job:")
    (problem,) = problems(table_study(tmp_path, codebook=text))
    assert problem.column == "vocabulary.constructs.threat_job"
    assert "may not redefine" in problem.expected
