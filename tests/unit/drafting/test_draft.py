"""A drafted codebook: all columns, guesses marked as guesses, and nothing decided for a person."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import (
    EXPORT,
    VOCABULARY,
    codebook_of,
    harmonized,
    interview_study,
    qualtrics_study,
    sav_study,
)
from helpers.repository import ROOT
from metastudy.common.problems import BadInput
from metastudy.common.yaml_document import read_yaml
from metastudy.drafting.draft import draft, open_points
from metastudy.drafting.keying import keyings
from metastudy.drafting.roles import guess


def table(people: int = 60) -> pd.DataFrame:
    """Answers of a latent trait: five items on 1 to 5, the third and fourth of them reversed."""
    random = np.random.default_rng(7)
    trait = random.normal(size=people)
    data: dict[str, object] = {"lbnr": np.arange(1, people + 1)}
    for number, sign in enumerate([1, 1, -1, -1, 1], start=1):
        answer = 3 + 1.2 * sign * trait + 0.5 * random.normal(size=people)
        data[f"item_{number}"] = np.clip(np.rint(answer), 1, 5).astype(int)
    data["item_1"] = np.where(np.arange(people) % 10 == 3, 99, data["item_1"])  # type: ignore[arg-type]
    data["item_5"] = np.arange(people) % 5 + 1
    data["condition"] = np.arange(people) % 2
    data["age_group"] = np.arange(people) % 3
    data["hours"] = [f"{one / 7:.1f}".replace(".", ",") for one in range(people)]
    data["remark"] = [f"My name is Søren Planted{one}, who wrote this" for one in range(people)]
    data["contact"] = [f"planted{one}@town.example" for one in range(people)]
    data["day"] = ["02-03-2020"] * people
    return pd.DataFrame(data)


@pytest.fixture
def drafted(tmp_path: Path) -> str:
    path = tmp_path / "answers.csv"
    table().to_csv(path, sep=";", index=False, encoding="cp1252")
    return draft("small", path, VOCABULARY)


def entry(text: str, name: str) -> str:
    """What a draft says of one column."""
    return text.partition(f"- name: {name}\n")[2].partition("- name:")[0]


def test_how_a_text_file_is_written_is_found_out(drafted: str) -> None:
    for said in ("format: csv", "encoding: cp1252", "delimiter: ;", "decimal: ','"):
        assert said in drafted


def test_every_column_is_there_with_a_guess_that_says_on_what_it_rests(drafted: str) -> None:
    for name in table():
        assert re.search(r"as: \w+ # guess: .{5}", entry(drafted, name)), name
    assert "as: id" in entry(drafted, "lbnr")
    assert "as: factor" in entry(drafted, "condition")
    assert "trait: age_band" in entry(drafted, "age_group")
    assert "min: 1 # guess" in entry(drafted, "item_2")
    assert "max: 5 # guess" in entry(drafted, "item_2")
    assert "99: TODO" in entry(drafted, "item_1")


def test_reverse_keying_is_guessed_from_the_answers_and_says_how_surely(drafted: str) -> None:
    reverse = {name for name in table() if "keying: reverse" in entry(drafted, name)}
    assert reverse == {"item_3", "item_4"}
    said = re.search(r"keying: reverse # guess: (.*)", entry(drafted, "item_3"))
    assert said
    numbers = [float(one) for one in re.findall(r"-?\d+\.\d+", said[1])]
    assert numbers[1] < numbers[0] < numbers[2] < 0
    assert "n = 60" in said[1]


def test_an_item_that_goes_with_nothing_is_not_guessed_to_be_reversed() -> None:
    answers = table(400).filter(like="item").replace({99: np.nan})
    found = keyings(answers)
    assert [one.reverse for one in found.values()] == [False, False, True, True, False]
    assert abs(found["item_5"].correlation) < 0.15
    assert keyings(answers.iloc[:, :2]) == {}


@pytest.mark.parametrize("items", [8, 240], ids=["few", "many"])
def test_correlations_with_the_rest_are_those_of_the_rest_computed_by_itself(items: int) -> None:
    """Every fourth item is reversed, and some answers are missing; many items go another way."""
    rng = np.random.default_rng(3)
    reverse = np.arange(items) % 4 == 3
    trait = rng.normal(size=(90, 1))
    values = 3 + np.where(reverse, -1, 1) * trait + rng.normal(0, 0.5, (90, items))
    values[rng.random(values.shape) < 0.2] = np.nan
    answers = pd.DataFrame(values, columns=[f"q{at}" for at in range(items)])
    found = keyings(answers)
    assert [found[name].reverse for name in answers] == reverse.tolist()
    standard = (answers - answers.mean()) / answers.std()
    aligned = standard * np.where(reverse, -1, 1)
    for name in list(answers)[:5]:
        rest = aligned.drop(columns=name).mean(axis=1)
        assert found[name].correlation == pytest.approx(standard[name].corr(rest), abs=1e-12)
        assert found[name].people == int((standard[name].notna() & rest.notna()).sum())


def test_nothing_that_a_person_wrote_gets_into_a_draft(drafted: str) -> None:
    assert "lanted" not in drafted
    for name in ("remark", "contact", "day"):
        assert "as: ignore" in entry(drafted, name)


def test_a_draft_loads_and_is_refused_only_where_a_person_has_to_decide(
    tmp_path: Path, drafted: str
) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    path = folder / "codebook.yaml"
    path.write_text(drafted, "utf-8")
    lines = drafted.splitlines()
    with pytest.raises(BadInput) as caught:
        codebook_of(folder)
    assert caught.value.problems
    for problem in caught.value.problems:
        assert "TODO" in lines[int(str(problem.row).split()[0]) - 1], problem
    assert len(open_points(drafted)) == sum("TODO" in one.partition("#")[0] for one in lines)


def test_the_list_of_open_points_names_no_raw_value(tmp_path: Path) -> None:
    rows = pd.DataFrame({"nr": range(30), "gender": ["Ann", "Bob", "Cat"] * 10})
    rows.to_csv(tmp_path / "a.csv", index=False)
    text = draft("small", tmp_path / "a.csv", VOCABULARY)
    assert "Ann: TODO" in text
    points = "\n".join(open_points(text))
    assert "Ann" not in points
    assert "line 9: response_mode: TODO" in points


def test_a_draft_in_which_all_is_decided_works(tmp_path: Path, drafted: str) -> None:
    decided = drafted.replace("provenance: observed", "provenance: simulated")
    head, _, rest = decided.partition("variables:")
    for key, value in {
        "response_mode": "vignette_hypothetical",
        "country": "DK",
        "sector": "elderly_care",
        "role": "professional",
        "arrangement": "volunteer_scheme",
    }.items():
        head = head.replace(f"{key}: TODO", f"{key}: {value}")
    rest = rest.replace("construct: TODO", "construct: threat_job").replace(
        "99: TODO", "99: refused"
    )
    rest = rest.replace(
        "      TODO:\n        0: TODO\n        1: TODO",
        "      task_type:\n        0: complementary\n        1: core",
    )
    rest = rest.replace("randomised: TODO", "randomised: true")
    rest = re.sub(r"as: TODO", "as: ignore", rest).replace(": TODO", ": a group")
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "codebook.yaml").write_text(f"{head}variables:{rest}", "utf-8")
    content = (tmp_path / "answers.csv").read_bytes()
    (folder / "answers.csv").write_bytes(content)
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "manifest.yaml").write_text(f"small: {{answers.csv: {digest}}}\n")
    report = harmonized(folder).report
    assert (report["rows_kept"], report["missing"]) == (60, {"refused": 6})


@pytest.mark.parametrize("make", [sav_study, qualtrics_study, interview_study])
def test_other_formats_are_drafted_too(tmp_path: Path, make: object) -> None:
    assert callable(make)
    folder = make(tmp_path)
    (data,) = [path for path in folder.iterdir() if path.name != "codebook.yaml"]
    text = draft("small", data, VOCABULARY)
    path = tmp_path / "draft.yaml"
    path.write_text(text, "utf-8")
    loaded = read_yaml(path).data
    assert loaded["file"]["format"] == {"answers.sav": "sav", "answers.csv": "qualtrics"}.get(
        data.name, "qdpx"
    )
    codebook = read_yaml(folder / "codebook.yaml").data
    assert {one["name"] for one in codebook["variables"]} <= {
        one["name"] for one in loaded["variables"]
    }
    if data.suffix == ".qdpx":
        assert set(loaded["codes"]) == set(codebook["codes"])


def test_labels_and_questions_stand_beside_the_columns(tmp_path: Path) -> None:
    text = draft("small", sav_study(tmp_path / "a", declared=True) / "answers.sav", VOCABULARY)
    assert "98: dont_know # Ved ikke" in text
    assert "the labels go from 1 to 7" in entry(text, "q1")
    data = qualtrics_study(tmp_path / "b", EXPORT) / "answers.csv"
    text = draft("small", data, VOCABULARY)
    assert re.search(r"# Rate, please - First\n\s+- name: QID2_1", text)


def test_answers_in_words_that_several_columns_share_are_items_to_be_numbered(
    tmp_path: Path,
) -> None:
    words = ["Agree", "Neither", "Disagree", "Don't know"]
    rows = pd.DataFrame({"id": range(40)})
    for number in (1, 2, 3):
        rows[f"q{number}"] = [words[(one * number) % 4] for one in range(40)]
    rows.to_csv(tmp_path / "a.csv", index=False)
    said = entry(draft("small", tmp_path / "a.csv", VOCABULARY), "q1")
    assert "as: item" in said
    assert "Agree: TODO" in said
    assert "Don't know: dont_know" in said
    assert "max: 3 # guess" in said


def test_a_guess_of_few_values_needs_them_to_occur_again() -> None:
    assert guess("note", pd.Series(["a b", "c d", "e f"], dtype="str")).values == ()
    assert guess("q", pd.Series([""] * 3, dtype="str")).role == "ignore"


def command(tmp_path: Path, study: str, file: Path, out: Path) -> subprocess.CompletedProcess[str]:
    vocabulary = ROOT / "config" / "vocabulary.yaml"
    arguments = ("--study", study, "--file", file, "--vocabulary", vocabulary, "--out", out)
    return subprocess.run(
        [sys.executable, "-m", "metastudy.commands.codebook", *map(str, arguments)],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )


def test_the_command_says_where_it_wrote_and_what_to_do_and_never_overwrites(
    tmp_path: Path,
) -> None:
    table().to_csv(tmp_path / "answers.csv", index=False)
    out = tmp_path / "raw" / "small" / "codebook.yaml"
    done = command(tmp_path, "small", tmp_path / "answers.csv", out)
    assert done.returncode == 0, done.stderr
    for said in ("raw/small/codebook.yaml", "construct: TODO", "put answers.csv into", "README"):
        assert said in done.stdout
    out.write_text("mine")
    again = command(tmp_path, "small", tmp_path / "answers.csv", out)
    assert again.returncode == 1
    assert "a codebook that is there already" in again.stderr
    assert "Traceback" not in again.stderr
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("study", "content", "code"),
    [("", b"a\n1\n", "draft"), ("No name", b"a\n1\n", "draft"), ("small", None, "missing-file")],
)
def test_a_draft_of_nothing_is_refused_in_words(
    tmp_path: Path, study: str, content: bytes | None, code: str
) -> None:
    data = tmp_path / "a.csv"
    if content:
        data.write_bytes(content)
    done = command(tmp_path, study, data, tmp_path / "x" / "codebook.yaml")
    assert done.returncode == 1
    assert f"[{code}]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 50, b'a,b\n1,"2\n', b"PK\x03\x04"])
def test_a_file_that_cannot_be_read_gives_the_readers_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        draft("small", path, VOCABULARY)
    assert caught.value.problems[0].code == "wrong-format"
