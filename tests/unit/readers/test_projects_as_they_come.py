"""REFI-QDA projects as programs write them: what is not read in full is named, the rest is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.raw_studies import INTERVIEWS, PROJECT, TALK, VOCABULARY, archive, interview_study
from helpers.raw_studies import KEY as SECRET
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput, Problem
from metastudy.drafting.draft import draft, open_points
from metastudy.harmonize.harmonize import harmonize_file
from metastudy.readers import read
from metastudy.readers.raw import RawProject

ANN = "11111111-aaaa-4000-8000-000000000001"
PICTURE = '<PictureSource guid="S3" name="Board" path="internal://board.png"/>'
CODING = f'<Coding guid="G9" creatingUser="{ANN}"><CodeRef targetGUID="C2"/></Coding>'
CASELESS = PROJECT[: PROJECT.index("<Cases>")] + PROJECT[PROJECT.index("</Cases>") + 8 :]
BY_NAME = INTERVIEWS.replace("name: Number", "name: name")


def project(folder: Path) -> RawProject:
    found = read(load(folder, VOCABULARY))
    assert isinstance(found, RawProject)
    return found


def refused(folder: Path) -> list[Problem]:
    with pytest.raises(BadInput) as bad:
        read(load(folder, VOCABULARY))
    return bad.value.problems


CODED = {
    "picture": f'<PictureSource guid="S3" name="Board"><PictureSelection guid="P9" firstX="1">'
    f"{CODING}</PictureSelection></PictureSource>",
    "audio": f'<AudioSource guid="S3" name="Talk"><AudioSelection guid="P9" begin="0" end="9">'
    f"{CODING}</AudioSelection></AudioSource>",
    "video": f'<VideoSource guid="S3" name="Talk"><VideoSelection guid="P9" begin="0" end="9">'
    f"{CODING}</VideoSelection></VideoSource>",
    "whole picture": f'<PictureSource guid="S3" name="Board">{CODING}</PictureSource>',
    "page": f'<PDFSource guid="S3" name="Page" path="internal://p.pdf"><PDFSelection guid="P9" '
    f'page="0" firstX="1">{CODING}</PDFSelection></PDFSource>',
}
TRANSCRIPT = (
    '<AudioSource guid="S3" name="Talk"><Transcript guid="T3">'
    "<PlainTextContent>What was said.</PlainTextContent>"
    '<SyncPoint guid="A" position="5" timeStamp="0"/>'
    '<SyncPoint guid="B" position="8" timeStamp="9"/>'
    '<TranscriptSelection guid="P9" fromSyncPoint="A" toSyncPoint="B">'
    f"{CODING}</TranscriptSelection></Transcript></AudioSource>"
)


@pytest.mark.parametrize("cases", [True, False])
@pytest.mark.parametrize("what", CODED, ids=str)
def test_what_is_coded_without_a_text_is_a_coding_of_its_source(
    tmp_path: Path, what: str, cases: bool
) -> None:
    text = (PROJECT if cases else CASELESS).replace(PICTURE, CODED[what])
    text = text.replace('<SourceRef targetGUID="S2"/>', '<SourceRef targetGUID="S3"/>')
    found = project(interview_study(tmp_path, text, BY_NAME if cases else BY_NAME.replace(
        "  - {name: Place, as: site}\n", "").replace(
        "  - {name: Land, as: country, values: {Scotland: GB-SCT, Finland: FI}}\n", "").replace(
        "  - {name: Readers, as: coders}\n", "")))  # fmt: skip
    last = found.codings[found.codings["case"] == (1 if cases else 2)]
    assert last[["start", "end", "code"]].values.tolist() == [[0, 0, "c2"]]
    assert len(found.codings) == 5
    assert any("source 3" in note for note in found.notes) == (what != "whole picture")


def test_points_of_a_recording_are_places_in_its_transcript(tmp_path: Path) -> None:
    text = PROJECT.replace(PICTURE, TRANSCRIPT)
    text = text.replace('<SourceRef targetGUID="S2"/>', '<SourceRef targetGUID="S3"/>')
    found = project(interview_study(tmp_path, text))
    last = found.codings[found.codings["case"] == 1]
    assert last[["start", "end"]].values.tolist() == [[5, 8]]


def test_a_text_that_is_not_in_the_archive_says_where_it_is(tmp_path: Path) -> None:
    for number, (path, found) in enumerate(
        [("absolute:///C:/S1.txt", "outside the archive"), ("internal://S9.txt", "missing")]
    ):
        folder = interview_study(tmp_path / str(number), PROJECT.replace("internal://S1.txt", path))
        read_ = project(folder)
        assert len(read_.codings) == 4, "that a code was applied needs no text"
        (note,) = read_.notes
        assert found in note
        assert "source 1 has no text" in note
    rich = PROJECT.replace('plainTextPath="internal://S1.txt"', 'richTextPath="internal://S1.docx"')
    found = project(interview_study(tmp_path / "rich", rich))
    assert len(found.codings) == 4
    assert found.notes == ("source 1 has rich text only; the places of its codings are not checked",
                           )  # fmt: skip


def test_a_source_in_no_case_leaves_and_is_named_with_its_codings(tmp_path: Path) -> None:
    text = PROJECT.replace('<SourceRef targetGUID="S1"/>', "")
    folder = interview_study(tmp_path, text)
    found = project(folder)
    assert len(found.cases.data) == 1
    assert "source 1 (TextSource) is in no case: its 4 codings are left out" in found.notes
    assert any(note.startswith("case 1 has no source") for note in found.notes)
    report = harmonize_file(load(folder, VOCABULARY), SECRET).report
    assert report["notes"] == list(found.notes)


def test_a_case_of_passages_is_named(tmp_path: Path) -> None:
    text = PROJECT.replace('<SourceRef targetGUID="S2"/>', '<SelectionRef targetGUID="P2"/>')
    notes = project(interview_study(tmp_path, text)).notes
    assert any(note.startswith("case 2 is made of SelectionRef") for note in notes)
    assert any(note.startswith("source 2 (TextSource) is in no case") for note in notes)


@pytest.mark.parametrize("name", ["Town hall study.qde", "My project/project.qde", "PROJECT.QDE"])
def test_a_project_is_found_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    folder = name.rpartition("/")[0]
    start = f"{folder}/" if folder else ""
    members = {name: PROJECT, f"{start}sources/S1.txt": TALK, f"__MACOSX/{name}": b"\0"}
    content = archive(tmp_path / "a.zip", members)
    for form in (", format: qdpx", ""):
        book = INTERVIEWS.replace(", format: qdpx", form)
        found = project(
            interview_study(tmp_path / f"own{len(form)}", codebook=book, content=content)
        )
        assert len(found.codings) == 4


def test_two_projects_in_an_archive_are_refused_by_their_names(tmp_path: Path) -> None:
    content = archive(tmp_path / "a.zip", {"one.qde": PROJECT, "two.qde": PROJECT})
    (problem,) = refused(interview_study(tmp_path, content=content))
    assert "2 projects (one.qde, two.qde)" in problem.found


def test_variables_of_one_name_are_told_apart_by_their_order(tmp_path: Path) -> None:
    text = PROJECT.replace('guid="V3" name="Land"', 'guid="V3" name="Place"')
    (problem,) = refused(
        interview_study(
            tmp_path / "a",
            text,
            BY_NAME.replace(
                "name: Land, as: country, values: {Scotland: GB-SCT, Finland: FI}",
                "name: name2, as: ignore",
            ),
        )
    )[:1]
    assert problem.found == "2 variables called 'Place'"
    assert "'Place (1)' or 'Place (2)'" in problem.fix
    book = INTERVIEWS.replace("name: Place", "name: Place (1)").replace("Land", "Place (2)")
    found = project(interview_study(tmp_path / "b", text, book)).cases.data
    assert found["Place (1)"].tolist() == ["Home", ""]
    assert found["Place (2)"].tolist() == ["Scotland", "Finland"]


def test_a_variable_called_as_the_name_of_a_source_takes_not_its_place(tmp_path: Path) -> None:
    text = PROJECT.replace('guid="V2" name="Place"', 'guid="V2" name="name"')
    book = INTERVIEWS.replace("name: Place", "name: name (variable)")
    assert project(interview_study(tmp_path, text, book)).cases.data[
        "name (variable)"
    ].tolist() == ["Home", ""]


def test_two_values_of_one_variable_are_refused(tmp_path: Path) -> None:
    value = (
        '<VariableValue><VariableRef targetGUID="V2"/><TextValue>Away</TextValue></VariableValue>'
    )
    text = PROJECT.replace('<SourceRef targetGUID="S1"/>', value + '<SourceRef targetGUID="S1"/>')
    (problem,) = refused(interview_study(tmp_path, text))
    assert "two values of the variable 'Place'" in problem.found


SETS = (
    '<Sets><Set guid="A1" name="land: Scotland"><MemberSource targetGUID="S1"/></Set>'
    '<Set guid="A2" name="land: Finland"><MemberSource targetGUID="S2"/></Set>'
    '<Set guid="A3" name="Old town"><MemberSource targetGUID="S2"/></Set>'
    '<Set guid="A4" name="codes"><MemberCode targetGUID="C1"/></Set></Sets></Project>'
)


def test_sets_of_sources_are_their_attributes(tmp_path: Path) -> None:
    text = PROJECT.replace("</Project>", SETS)
    book = INTERVIEWS.replace("Land", "land").replace("name: Place", "name: Old town")
    folder = interview_study(tmp_path, text, book)
    found = project(folder)
    assert found.cases.data["land"].tolist() == ["Scotland", "Finland"]
    assert found.cases.data["Old town"].tolist() == ["0", "1"]
    assert found.notes == ("set 4 holds no sources: it is not read",)
    made = draft("small", folder / "talks.qdpx", VOCABULARY)
    assert "name: land" in made
    assert "name: Old town" in made


SECOND = PROJECT.replace('<SourceRef targetGUID="S1"/>',
                         '<SourceRef targetGUID="S1"/><SourceRef targetGUID="S3"/>'
                         ).replace(PICTURE, TRANSCRIPT)  # fmt: skip


def test_a_case_with_several_sources_is_one_row_where_its_name_is_the_id(tmp_path: Path) -> None:
    by_case = INTERVIEWS.replace("name: Number", "name: case")
    found = project(interview_study(tmp_path / "a", SECOND, by_case))
    assert found.cases.data["case"].tolist() == ["First", "Second"]
    assert found.codings["case"].tolist() == [0] * 5
    # The text of the second source is behind that of the first, which has 22 characters.
    assert found.codings[["start", "end"]].values.tolist()[-1] == [5 + 23, 8 + 23]
    by_source = project(interview_study(tmp_path / "b", SECOND, BY_NAME))
    assert by_source.codings["case"].tolist() == [0] * 4 + [1]
    assert any("case 1: several sources" in note for note in by_source.notes)


def test_a_draft_of_a_project_offers_an_id(tmp_path: Path) -> None:
    plain = PROJECT.replace(' name="Number"', ' name="Shade"')
    for number, (text, expected) in enumerate(
        [
            (plain, "- name: case\n    as: id"),
            (CASELESS.replace(' name="Number"', ' name="Shade"'), "- name: guid\n    as: id"),
            (SECOND.replace(' name="Number"', ' name="Shade"'), "- name: case\n    as: TODO"),
        ]
    ):
        folder = interview_study(tmp_path / str(number), text)
        made = draft("small", folder / "talks.qdpx", VOCABULARY)
        assert expected in made
        assert "ids:" not in made
        assert open_points(made)


def test_a_draft_lists_a_branch_that_is_applied(tmp_path: Path) -> None:
    text = PROJECT.replace('<CodeRef targetGUID="C2"/>', '<CodeRef targetGUID="C0"/>')
    folder = interview_study(tmp_path, text)
    assert "\n  Strain: TODO" in draft("small", folder / "talks.qdpx", VOCABULARY)


def test_a_photo_beside_an_interview_makes_no_second_row_of_its_case(tmp_path: Path) -> None:
    both = PROJECT.replace(
        '<SourceRef targetGUID="S2"/>', '<SourceRef targetGUID="S2"/><SourceRef targetGUID="S3"/>'
    )
    found = project(interview_study(tmp_path / "a", both))
    assert len(found.cases.data) == 2
    assert any("source 3 (PictureSource) of case 2" in note for note in found.notes)
    coded = both.replace(PICTURE.removesuffix("/>"), PICTURE.removesuffix("/>") + ">" + CODING, 1)
    coded = coded.replace(CODING + "/>", CODING + "</PictureSource>")
    assert len(project(interview_study(tmp_path / "b", coded)).cases.data) == 3
    with pytest.raises(BadInput) as bad:
        harmonize_file(load(tmp_path / "b" / "small", VOCABULARY), SECRET)
    assert "take 'case' for the id" in bad.value.problems[0].fix
    alone = PROJECT.replace('<SourceRef targetGUID="S2"/>', '<SourceRef targetGUID="S3"/>')
    assert len(project(interview_study(tmp_path / "c", alone)).cases.data) == 2


def test_a_source_that_a_case_names_twice_is_one_row(tmp_path: Path) -> None:
    twice = PROJECT.replace('<SourceRef targetGUID="S2"/>', '<SourceRef targetGUID="S2"/>' * 2)
    plain = project(interview_study(tmp_path / "a"))
    found = project(interview_study(tmp_path / "b", twice))
    assert found.cases.data.equals(plain.cases.data)
    assert found.codings.equals(plain.codings)


def test_a_contradiction_in_a_variable_that_nothing_uses_is_named(tmp_path: Path) -> None:
    of, text = '<VariableValue><VariableRef targetGUID="V5"/>', "<TextValue>{}</TextValue>"
    value, fourth = of + text + "</VariableValue>", '<Variable guid="V4"'
    second = '<SourceRef targetGUID="S2"/>'
    odd = PROJECT.replace(fourth, '<Variable guid="V5" name="Mood"/>' + fourth)
    odd = odd.replace(second, value.format("calm") + second)
    odd = odd.replace("<PlainTextContent>", value.format("cross") + "<PlainTextContent>")
    found = project(interview_study(tmp_path / "a", odd))
    assert any("two values of the variable 'Mood', case 2" in note for note in found.notes)
    mood = "  - {name: Mood, as: trait, trait: gender, values: {calm: calm}}\ncodes:"
    used = INTERVIEWS.replace("codes:", mood)
    (problem,) = refused(interview_study(tmp_path / "b", odd, used))
    assert "two values of the variable 'Mood'" in problem.found
