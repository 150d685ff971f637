"""Files of SPSS to the end: the portable form, declared missing codes, dates and times."""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from helpers.raw_studies import KEY, VOCABULARY, study
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput
from metastudy.drafting.draft import draft
from metastudy.harmonize.harmonize import harmonize_file
from metastudy.readers import read
from metastudy.readers.portable import with_codes

BOOK = """\
variables:
  - {name: NR, as: id}
  - {name: ARM, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: Q1, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know}}
  - {name: VISIT, as: ignore}
  - {name: ENDED, as: ignore}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
exclude:
  - {rule: first_day, variable: VISIT, drop: [2020-03-02]}
"""
PEOPLE = pd.DataFrame(
    {
        "NR": [float(k) for k in range(1, 41)],
        "ARM": [1.0, 2.0] * 20,
        "HOME": ["Aa", "Bo", "C", ""] * 10,
        "Q1": [1.0, 7.0, 98.0, 4.0, float("nan")] * 8,
        "VISIT": [datetime.date(2020, 3, 2), datetime.date(2021, 12, 31)] * 20,
        "ENDED": [datetime.datetime(2020, 3, 2, 8, 28, 9)] * 40,  # noqa: DTZ001
    }
)


def spss(folder: Path, form: str, patch: bytes = b"", **more: object) -> Path:
    """A study in a file of SPSS; `patch` is what the dictionary of a portable file says of Q1."""
    folder.mkdir()
    path = folder / f"answers.{form}"
    write = {"sav": pyreadstat.write_sav, "por": pyreadstat.write_por}[form]
    write(PEOPLE, path, **more)
    content = path.read_bytes()
    if patch:
        text = content.replace(b"\r\n", b"").replace(b"\n", b"").rstrip(b"Z")
        assert text.count(b"2/Q15/8/2/5/8/2/") == 1
        text = text.replace(b"2/Q15/8/2/5/8/2/", b"2/Q15/8/2/5/8/2/" + patch) + b"Z"
        text += b"Z" * (-len(text) % 80)
        content = b"".join(text[k : k + 80] + b"\r\n" for k in range(0, len(text), 80))
    file = f"file: {{name: answers.{form}}}\n"
    return study(folder / "small", f"answers.{form}", content, file + BOOK)


def test_a_portable_file_gives_what_the_other_form_of_spss_gives(tmp_path: Path) -> None:
    found = {}
    for form in ("sav", "por"):
        done = harmonize_file(load(spss(tmp_path / form, form), VOCABULARY), KEY)
        found[form] = done.tables
        assert done.report["excluded"] == {"first_day": 20}, "a date is compared as it is written"
    values = found["por"]["measurements"]["value_raw"]
    assert sorted(values.dropna()) == [1.0] * 4 + [4.0] * 4 + [7.0] * 4
    for name in ("respondents", "assignments", "measurements"):
        assert found["sav"][name].equals(found["por"][name])


@pytest.mark.parametrize(
    ("record", "ranges"),
    [
        (b"838/", [{"lo": 98, "hi": 98}]),  # 3 * 30 + 8
        (b"A37/", [{"lo": 97, "hi": float("inf")}]),
        (b"B37/39/8-9/", [{"lo": 97, "hi": 99}, {"lo": -9, "hi": -9}]),
        (b"90/838/", [{"lo": float("-inf"), "hi": 0}, {"lo": 98, "hi": 98}]),
    ],
)
def test_codes_that_a_portable_file_declares_as_missing_are_read_with_their_reasons(
    tmp_path: Path, record: bytes, ranges: list[dict[str, float]]
) -> None:
    folder = spss(tmp_path / "por", "por", record)
    plain, _ = pyreadstat.read_por(folder / "answers.por")
    assert plain["Q1"].isna().sum() == 16, "the library by itself makes blanks of them"
    assert with_codes((folder / "answers.por").read_bytes())[1] == {"Q1": ranges}
    raw = read(load(folder, VOCABULARY))
    assert raw.data["Q1"].astype("str").tolist().count("98") == 8
    assert "98" in raw.declared_missing["Q1"]
    book = folder / "codebook.yaml"
    whole = book.read_text()
    extra = ", -9: refused" if b"-9" in record else ""
    book.write_text(whole.replace("98: dont_know", f"98: dont_know{extra}"))
    table = harmonize_file(load(folder, VOCABULARY), KEY).tables["measurements"]
    assert table["missing_reason"].value_counts()["dont_know"] == 4
    book.write_text(whole.replace(", missing: {98: dont_know}", ""))
    with pytest.raises(BadInput) as bad:
        harmonize_file(load(folder, VOCABULARY), KEY)
    assert "undeclared-missing" in {problem.code for problem in bad.value.problems}


def test_a_portable_file_without_such_codes_is_taken_as_it_is(tmp_path: Path) -> None:
    content = (spss(tmp_path / "por", "por") / "answers.por").read_bytes()
    assert with_codes(content) == (content, {})
    assert with_codes(content[:600]) == (content[:600], {})
    assert "declared" not in draft("x", tmp_path / "por" / "answers.por", VOCABULARY)


FORMATS = {  # of SPSS: seconds as number, and what a person reads
    "DATE11": (13802572800.0 + 31029, "2020-03-03"),
    "ADATE10": (13802572800.0, "2020-03-03"),
    "EDATE8": (13802572800.0, "2020-03-03"),
    "SDATE10": (13802572800.0, "2020-03-03"),
    "JDATE7": (13802572800.0, "2020-03-03"),
    "DATETIME20": (13802572800.0 + 30489, "2020-03-03 08:28:09"),
    "TIME8": (30489.0, "30489"),
    "DTIME11": (180000.0, "180000"),
    "WKDAY9": (3.0, "3"),
    "MONTH9": (12.0, "12"),
    "F8.2": (13802572800.0, "13802572800"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_dates_are_days_moments_have_their_hour_and_times_stay_numbers(
    tmp_path: Path, form: str
) -> None:
    number, text = FORMATS[form]
    # SPSS counts from the first day of the Gregorian calendar; the day is computed another way.
    assert (datetime.date(2020, 3, 3) - datetime.date(1582, 10, 14)).days * 86400 == 13802572800
    data = pd.DataFrame({"NR": [1.0, 2.0, 3.0], "T": [number, float("nan"), 2e13]})
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(data, path, variable_format={"T": form})
    file = "file: {name: t.sav}\nvariables:\n  - {name: NR, as: id}\n  - {name: T, as: ignore}\n"
    rule = "exclude:\n  - {rule: x, variable: T, drop: [nothing]}\n"
    folder = study(tmp_path / "small", "t.sav", path.read_bytes(), file + rule)
    texts = read(load(folder, VOCABULARY)).data["T"].astype("str").tolist()
    assert texts == [text, "", "20000000000000"], "one that is no date stays the number that it is"
