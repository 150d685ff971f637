"""What is not certain in a draft is for a person to decide; and no export leads to a dead end."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from helpers.raw_studies import VOCABULARY
from metastudy.drafting.draft import draft, open_points

WORDS = ["Agree", "Neutral", "Disagree"]


def drafted(tmp_path: Path, text: str, name: str = "answers.csv") -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return draft("small", path, VOCABULARY)


def entry(text: str, name: str) -> str:
    _, _, rest = text.partition(f"- name: {name}\n")
    assert rest, text
    return rest.partition("- name: ")[0]


def table(header: str, *columns: list[str], rows: int = 30) -> str:
    lines = [",".join([f"p{k}", *(c[k % len(c)] for c in columns)]) for k in range(rows)]
    return "\n".join([f"id,{header}", *lines]) + "\n"


def test_questions_in_which_somebody_does_something_are_no_conditions(tmp_path: Path) -> None:
    names = [f"How much do you agree? [{what}]" for what in ("I wait", "I queue", "I plan")]
    made = drafted(tmp_path, table(",".join(names), WORDS, WORDS[1:] + WORDS[:1], WORDS[::-1]))
    assert "as: factor" not in made
    assert made.count("as: item") == 3


def test_an_answer_scale_is_no_consent(tmp_path: Path) -> None:
    made = drafted(tmp_path, table("agree_1,agree,consent", list("12345"), list("12345"), ["1"]))
    assert "as: item" in entry(made, "agree_1")
    assert "as: item" in entry(made, "agree")
    assert "as: consent" in entry(made, "consent")


def test_whether_chance_assigned_a_condition_is_for_a_person_to_say(tmp_path: Path) -> None:
    made = drafted(tmp_path, table("arm,q1", ["1", "2"], list("12345")))
    assert any("randomised: TODO" in point for point in open_points(made))


@pytest.mark.parametrize("mark", ["NA", "N/A", "NaN", "NULL", "."])
def test_a_mark_of_nothing_among_numbers_is_a_missing_code(tmp_path: Path, mark: str) -> None:
    slider = [str(k) for k in range(100)]
    made = drafted(tmp_path, table("slider,q1", [*slider, mark], [*"12345", mark], rows=101))
    assert "as: TODO # guess: numbers from 0 to 99" in entry(made, "slider")
    assert "as: item # guess: answers from 1 to 5" in entry(made, "q1")
    for name in ("slider", "q1"):
        assert f"{mark}: TODO" in entry(made, name).replace("'", "")


def test_several_answers_in_a_cell_are_no_decimal_commas(tmp_path: Path) -> None:
    media = ['"1,3"', "3", '"1,2"', "2"]
    for columns in ((media,), (media, ["2.75", "4.25", "1.5"])):
        header = ",".join(["media", "slider"][: len(columns)])
        made = drafted(tmp_path, table(header, *columns))
        assert "decimal:" not in made
        assert "as: TODO # guess: several answers in one cell" in entry(made, "media")
    rows = "".join(f"p{k};1,{k % 9}\n" for k in range(30))
    assert "decimal: ','" in drafted(tmp_path, "id;score\n" + rows)  # commas part no columns here


def test_a_second_header_row_is_part_of_the_names(tmp_path: Path) -> None:
    text = "ID,Start,How do you agree?,,Your gender?\n,,I wait,I queue,Response\n"
    made = drafted(tmp_path, text + "".join(f"{k},x,{WORDS[k % 3]},{WORDS[(k + 1) % 3]},F\n"
                                            for k in range(30)))  # fmt: skip
    assert "30 rows, 5 columns" in made
    assert "as: item" in entry(made, "'How do you agree? [I wait]'")
    assert "as: item" in entry(made, "'How do you agree? [I queue]'")
    assert "name: 'Your gender?'" in made or "name: Your gender?" in made


def test_a_column_without_a_name_is_listed_by_its_place(tmp_path: Path) -> None:
    rows = "".join(f"{k},{k % 2},\n" for k in range(30))
    made = drafted(tmp_path, ",arm,\n" + rows)  # as R writes row names; the last column is empty
    assert "name: (column 1)" in made
    assert "(column 3)" not in made


def test_a_workbook_with_several_sheets_is_drafted_from_the_longest(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    labels = book.active
    labels.title = "Codebook"
    labels.append(["variable", "label"])
    answers = book.create_sheet("Answers")
    for row in [["id", "q1"], *([f"p{k}", k % 5] for k in range(20))]:
        answers.append(row)
    path = tmp_path / "answers.xlsx"
    book.save(path)
    made = draft("small", path, VOCABULARY)
    assert "sheet: Answers # guess" in made
    assert "20 rows, 2 columns" in made


def test_a_legacy_export_is_drafted(tmp_path: Path) -> None:
    text = "V1,V2,V8,V10,Q1\nResponseID,ResponseSet,StartDate,Finished,I worry\n"
    rows = "".join(f"R_{k},Default,2016-01-01 10:00:00,1,{k % 5}\n" for k in range(20))
    made = drafted(tmp_path, text + rows)
    assert "format: qualtrics" in made
    assert "as: id" in entry(made, "V1")
    assert "as: item" in entry(made, "Q1")


@pytest.mark.parametrize("legacy", [True, False])
def test_the_header_rows_of_qualtrics_in_a_workbook_are_no_respondents(
    tmp_path: Path, legacy: bool
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    tags = ["ResponseId", "V2", "V3", "Q9"]
    sheet.append(tags)
    sheet.append(["ResponseID", "ResponseSet", "StartDate", "I worry"])
    if legacy:
        sheet["A1"], sheet["C1"] = "V1", "V3"
    else:
        sheet.append([f'{{"ImportId": "{tag}"}}' for tag in tags])
    for k in range(20):
        sheet.append([f"R_{k}", "live", "x", k % 5])
    path = tmp_path / "answers.xlsx"
    book.save(path)
    made = draft("small", path, VOCABULARY)
    assert "20 rows, 4 columns" in made
    assert "as: item" in entry(made, "Q9")


def test_commas_that_may_be_numbers_or_codes_are_for_a_person_to_say(tmp_path: Path) -> None:
    def semicolons(cells: list[str]) -> str:
        return drafted(
            tmp_path, "id;x\n" + "".join(f"p{k};{cells[k % len(cells)]}\n" for k in range(30))
        )

    unsure = semicolons(["1,3", "3", "2,12"])
    assert "decimal: TODO" in unsure
    assert any("decimal: TODO" in point for point in open_points(unsure))
    for certain in (["1,3", "2,0"], ["1,50", "2,1"], ["0,3"], ["-1,3"], ["4,2", "1,3"]):
        assert "decimal: ','" in semicolons(certain)
    assert "decimal" not in drafted(tmp_path, table("media", ['"1,12"', "3", '"2,14"']))


@pytest.mark.parametrize("mark", [";", ", ", "; ", "|"])
def test_texts_of_several_answers_in_a_cell_are_no_item(tmp_path: Path, mark: str) -> None:
    cells = ["Radio", "TV", f"Radio{mark}TV", f"TV{mark}Web", f"Radio{mark}Web", "Web"]
    cells = [f'"{cell}"' for cell in cells]
    header = "Which media? [morning],Which media? [evening]"
    made = drafted(tmp_path, table(header, cells, cells[2:] + cells[:2]))
    assert made.count("as: TODO # guess: several answers in one cell (Radio, TV, Web)") == 2
    assert "as: item" not in made


def test_many_combinations_of_answers_are_no_free_text(tmp_path: Path) -> None:
    media = ["Radio", "TV", "Web", "Paper", "Friends"]
    cells = [
        '"' + ";".join(one for k, one in enumerate(media) if number >> k & 1) + ';"'
        for number in range(1, 32)
    ]
    made = drafted(tmp_path, table("media", cells, rows=62))
    assert "several answers in one cell (Friends, Paper, Radio, TV, Web)" in made


def test_answers_whose_texts_have_commas_stay_answers(tmp_path: Path) -> None:
    words = [f'"{one}"' for one in ("Agree, strongly", "Agree", "Disagree", "Disagree, strongly")]
    made = drafted(tmp_path, table("a_1,a_2", words, words[1:] + words[:1]))
    assert made.count("as: item") == 2


def qualtrics(question: str, other: str, both: bool = False) -> str:
    imports = ("_recordId", "x", "QID1", "QID2")
    lines = [
        "id,x,q1,q2",
        f"Response ID,x,{question},{other}",
        ",".join(f'"{{""ImportId"":""{one}""}}"' for one in imports),
    ]
    lines += [
        f"R_{k},t{k % 7},{k % 5 + 1},{k % 5 + 1 if both else ''}"
        if k % 2
        else f"R_{k},t{k % 7},,{k % 4 + 1}"
        for k in range(60)
    ]
    return "\n".join(lines) + "\n"


def test_one_question_in_two_columns_asks_for_the_name_of_the_item(tmp_path: Path) -> None:
    text = qualtrics("I worry", "I worry").replace("R_0,t0,,1", "R_0,t0,,5")
    made = drafted(tmp_path, text)
    assert sum("item: TODO" in point for point in open_points(made)) == 2
    other = drafted(tmp_path, qualtrics("I worry", "I wait").replace("R_0,t0,,1", "R_0,t0,,5"))
    assert "item: TODO" not in other
    assert "nobody answered both this and QID2: if they are copies" in other
    together = qualtrics("I worry", "I worry", both=True).replace("R_0,t0,,1", "R_0,t0,,5")
    assert "item:" not in drafted(tmp_path, together)


FIVE = list("12345")


@pytest.mark.parametrize(
    ("name", "cells", "never"),
    [
        ("candidate_1", FIVE, "ignore"),
        ("update_freq", FIVE, "ignore"),
        ("email_use", FIVE, "ignore"),
        ("phone_calls", [str(k) for k in range(40)], "ignore"),
        ("addressed_my_needs", FIVE, "ignore"),
        ("organisational_commitment_1", FIVE, "site"),
        ("website_use", FIVE, "site"),
        ("trust_in_my_school", FIVE, "site"),
        ("agency_trust", FIVE, "trait"),
        ("gender_equality_2", FIVE, "trait"),
        ("occupational_stress_1", FIVE, "trait"),
        ("regional_identity", FIVE, "trait"),
        ("alarm", FIVE, "factor"),
        ("aversion", FIVE, "factor"),
        ("conditions_at_work", FIVE, "factor"),
        ("body_weight", ["61.5", "72", "80.5"], "weight"),
        ("minutes_helping", [str(k) for k in range(60)], "ignore"),
        ("respondent_income", [str(1000 + 13 * k) for k in range(30)], "ignore"),
        ("share", ["45%", "7%", "100%", "0%"] + [f"{k}%" for k in range(20)], "ignore"),
        ("money", [f'"{k},{k + 100}"' for k in range(1, 30)], "ignore"),
        ("slider", [str(k) for k in range(25)] + ["about 50"], "ignore"),
    ],
)
def test_a_word_in_a_name_does_not_decide_what_is_measured(
    tmp_path: Path, name: str, cells: list[str], never: str
) -> None:
    said = entry(drafted(tmp_path, table(f"{name},q1", cells, FIVE)), name)
    assert f"as: {never} " not in said
    assert "as: TODO" in said or "construct: TODO" in said


@pytest.mark.parametrize(
    ("name", "cells", "role"),
    [
        ("visit_date", ["2020-03-02", "2020-03-04"], "ignore"),
        ("email", ["a@b.example", "c@d.example"], "ignore"),
        ("birth_year", ["1961", "1970"], "ignore"),
        ("site_id", FIVE, "site"),
        ("hospital", ["A", "B"], "site"),
        ("exp_condition", FIVE[:4], "factor"),
        ("treatment_group", FIVE[:3], "factor"),
        ("age_group", FIVE, "trait"),
        ("gender", FIVE[:2], "trait"),
        ("wt", ["0.5", "1.25", "1.5"], "weight"),
    ],
)
def test_a_name_that_says_no_more_is_believed(
    tmp_path: Path, name: str, cells: list[str], role: str
) -> None:
    assert f"as: {role} " in entry(drafted(tmp_path, table(f"{name},q1", cells, FIVE)), name)


def test_which_answer_is_consent_is_asked_where_it_is_not_said(tmp_path: Path) -> None:
    made = drafted(tmp_path, table("consent,q1", ["1", "2"], FIVE))
    assert any("accept: TODO" in point for point in open_points(made))
    for yes in (["1", "0"], ["1"], ["Yes", "No"], ["Ja", "Nej"]):
        made = drafted(tmp_path, table("consent,q1", yes, FIVE)).replace("'", "")
        assert f"accept: [{yes[0]}]" in made


def test_numbers_that_are_all_different_are_no_id_unless_they_count_the_rows(
    tmp_path: Path,
) -> None:
    def of(values: list[str]) -> str:
        rows = "".join(f"{one},{k % 5 + 1}\n" for k, one in enumerate(values))
        return drafted(tmp_path, "x,q1\n" + rows)

    assert "ids: TODO" in of([f"{k / 7:.3f}" for k in range(30)])
    assert "ids: TODO" in of([str(900 + k * k) for k in range(30)])
    assert "as: id" in of([str(900 + k) for k in range(30)])
    assert "as: id" in of([f"P{k}" for k in range(30)])


@pytest.mark.parametrize("mark", ["1", "Radio", "x", "Y"])
def test_a_box_that_was_ticked_or_not_is_not_the_same_in_every_row(
    tmp_path: Path, mark: str
) -> None:
    made = drafted(tmp_path, table("radio,tv", [mark, ""], ["1"]))
    assert "as: TODO # guess: one value or nothing" in entry(made, "radio")
    assert "as: ignore # guess: the same value in every row" in entry(made, "tv")


def test_an_id_that_several_rows_share_says_so(tmp_path: Path) -> None:
    rows = "".join(
        f"{k // 2 + 1},{'base' if k % 2 else 'follow'}_arm_1,clinic_{k % 3},{k % 5 + 1}\n"
        for k in range(60)
    )
    head = "record_id,redcap_event_name,redcap_data_access_group,q1\n"
    made = drafted(tmp_path, head + rows)
    assert "each value is in several rows" in entry(made, "record_id")
    assert "several surveys of a person" in entry(made, "redcap_event_name")
    assert "as: site" in entry(made, "redcap_data_access_group")
