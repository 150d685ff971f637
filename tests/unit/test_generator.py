"""The simulated stand-in data: what the files promise, and that nothing else made them.

The files are read here with plain tools, not with the workflow's readers.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import sys
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data" / "raw"
GENERATOR = ROOT / "data" / "generator"
WORLD = GENERATOR / "world.yaml"

sys.path.insert(0, str(GENERATOR))

import generate  # noqa: E402

FILES = {study: RAW / study / file for study, (file, _) in generate.STUDIES.items()}
QDA = "{urn:QDA-XML:project:1.0}"


def make(out: Path, *settings: str, studies: tuple[str, ...] = tuple(FILES)) -> dict[str, Path]:
    """Simulate studies of a world under `out`; the data files by study."""
    generate.generate(generate.load_world(WORLD, list(settings)), out, list(studies))
    return {study: out / study / FILES[study].name for study in studies}


def content(path: Path) -> object:
    """What a file holds; how well an archive is packed may depend on the machine."""
    if path.suffix != ".qdpx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def threat_scores(path: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Mean item per threat and person, and whether the tasks are core tasks."""
    data, _ = pyreadstat.read_sav(str(path))
    data = data[data["version"].notna()]
    batteries = {"quality": "kval", "profession": "fag", "job": "job"}
    scores = {}
    for threat, stem in batteries.items():
        items = data[[f"{stem}_{k}" for k in (1, 2, 3)]]
        items = items.where(items <= 7).assign(**{f"{stem}_2": 8 - items[f"{stem}_2"]})
        scores[threat] = items.where((items >= 1) & (items <= 7)).mean(axis=1)
    return pd.DataFrame(scores), data["version"].isin([2, 4])


def core_effects(path: Path) -> pd.Series:
    """Core minus complementary tasks, in standard deviations of the score."""
    scores, core = threat_scores(path)
    return (scores[core].mean() - scores[~core].mean()) / scores[~core].std()


def qualtrics(path: Path) -> list[dict[str, str]]:
    """The responses of a Qualtrics file, by ImportId."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        _, _, ids, *rows = csv.reader(stream)
    names = [json.loads(cell)["ImportId"] for cell in ids]
    return [dict(zip(names, row, strict=True)) for row in rows]


def analysable(rows: list[dict[str, str]], token: str, yes: str, outcomes: list[str]) -> list[dict]:
    """Those who stay: no preview, each person once, with consent and at least one rating."""
    no_answer = {"", "99", "-99", "Weet niet"}
    people: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["status"] in {"Survey Preview", "1"} or row["QID1"] != yes:
            continue
        if row[token] not in people or not people[row[token]][outcomes[-1]]:
            people[row[token]] = row
    return [row for row in people.values() if {row[name] for name in outcomes} - no_answer]


def project(path: Path) -> tuple[ET.Element, zipfile.ZipFile]:
    """The project of a REFI-QDA archive."""
    archive = zipfile.ZipFile(path)
    return ET.fromstring(archive.read("project.qde")), archive


def cases(root: ET.Element) -> pd.DataFrame:
    """One row a case, one column a variable."""
    names = {v.get("guid"): v.get("name") for v in root.iter(f"{QDA}Variable")}
    return pd.DataFrame(
        [
            {
                names[ref.get("targetGUID")]: value.text
                for ref, value in case.iter(f"{QDA}VariableValue")
            }
            for case in root.iter(f"{QDA}Case")
        ]
    )


def coded_share(path: Path, code: str) -> pd.Series:
    """Share of interviews with a code, by arrangement."""
    root, _ = project(path)
    guid = next(c.get("guid") for c in root.iter(f"{QDA}Code") if c.get("name") == code)
    coded = [
        any(ref.get("targetGUID") == guid for ref in source.iter(f"{QDA}CodeRef"))
        for source in root.iter(f"{QDA}TextSource")
    ]
    return pd.Series(coded).groupby(cases(root)["Arrangement"]).mean()


def test_what_ships_is_what_the_world_gives(tmp_path: Path) -> None:
    for study, path in make(tmp_path).items():
        assert content(path) == content(FILES[study]), study


def test_the_same_world_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    once, again = make(tmp_path / "once"), make(tmp_path / "again")
    for study in FILES:
        assert once[study].read_bytes() == again[study].read_bytes(), study


def test_another_seed_is_other_data(tmp_path: Path) -> None:
    for study, path in make(tmp_path, "seed=1").items():
        assert content(path) != content(FILES[study]), study


def test_a_turn_in_one_study_leaves_the_others(tmp_path: Path) -> None:
    made = make(tmp_path, "coping_survey.analysable=100")
    changed = [study for study, path in made.items() if content(path) != content(FILES[study])]
    assert changed == ["coping_survey"]


def test_the_manifest_lists_every_simulated_file() -> None:
    manifest = yaml.safe_load((RAW / "manifest.yaml").read_text(encoding="utf-8"))
    assert manifest == {
        study: {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
        for study, path in FILES.items()
    }


def test_every_study_says_at_once_that_it_is_simulated() -> None:
    for path in FILES.values():
        codebook = yaml.safe_load((path.parent / "codebook.yaml").read_text(encoding="utf-8"))
        readme = (path.parent / "README.md").read_text(encoding="utf-8")
        assert "imulated data" in readme.splitlines()[0]
        assert codebook["study"]["provenance"] == "simulated"
        assert codebook["file"]["name"] == path.name


@pytest.mark.parametrize("arguments", [[], ["--studies", "coping_survey"]])
def test_real_data_are_never_overwritten(tmp_path: Path, arguments: list[str]) -> None:
    folder = tmp_path / "coping_survey"
    folder.mkdir()
    (folder / "codebook.yaml").write_text("study: {provenance: observed}\n", encoding="utf-8")
    (folder / "coping_survey.csv").write_text("real\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"coping_survey.*observed"):
        generate.main(["--out", str(tmp_path), *arguments])
    assert (folder / "coping_survey.csv").read_text(encoding="utf-8") == "real\n"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_part_of_the_studies_keeps_the_rest_of_the_manifest(tmp_path: Path) -> None:
    command = ["--out", str(tmp_path), "--manifest"]
    generate.main(command)
    before = yaml.safe_load((tmp_path / "manifest.yaml").read_text(encoding="utf-8"))
    generate.main([*command, "--studies", "coping_survey", "--set", "seed=1"])
    after = yaml.safe_load((tmp_path / "manifest.yaml").read_text(encoding="utf-8"))
    assert {study for study in before if before[study] != after[study]} == {"coping_survey"}


def test_a_setting_that_the_world_does_not_have_is_named() -> None:
    with pytest.raises(SystemExit, match=r"coping_survey\.analyzable"):
        generate.load_world(WORLD, ["coping_survey.analyzable=5"])


def test_the_generator_knows_nothing_of_the_workflow() -> None:
    for path in GENERATOR.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", [])]
            names.append(getattr(node, "module", None) or "")
            assert not any(str(name).startswith("metastudy") for name in names), path


def test_a_null_world_has_no_effect_in_it() -> None:
    def effects(node: dict, inside: bool = False) -> list[float]:
        found: list[float] = []
        for key, value in node.items():
            deeper = inside or key.startswith("true_effect_")
            if isinstance(value, dict):
                found += effects(value, deeper)
            elif deeper:
                found.append(value)
        return found

    usual, null, reversed_world = (
        effects(generate.load_world(WORLD, [f"true_effect_scale={scale}"])) for scale in (1, 0, -1)
    )
    assert any(usual)
    assert not any(null)
    assert reversed_world == [-effect for effect in usual]


@pytest.mark.parametrize("scale", [1, 0, -1])
def test_only_the_threat_to_quality_responds(tmp_path: Path, scale: int) -> None:
    study = "threat_experiment"
    settings = [f"true_effect_scale={scale}", f"{study}.respondents=20000", f"{study}.homes=200"]
    effects = core_effects(make(tmp_path, *settings, studies=(study,))[study])
    # 0.3 of the construct is some 0.27 of a score with measurement error; its SE is 0.014.
    assert effects["quality"] == pytest.approx(0.27 * scale, abs=0.05)
    assert effects[["profession", "job"]].abs().max() < 0.05


@pytest.mark.parametrize(("scale", "sign"), [(1, 1), (0, 0), (-1, -1)])
def test_efficacy_matters_in_one_conflict_only(tmp_path: Path, scale: int, sign: int) -> None:
    study = "coping_survey"
    settings = [f"true_effect_scale={scale}", f"{study}.analysable=6000"]
    data = pd.DataFrame(qualtrics(make(tmp_path, *settings, studies=(study,))[study]))
    agree = ["Helemaal oneens", "Oneens", "Niet eens, niet oneens", "Eens", "Helemaal eens"]
    likely = [
        "Zeer onwaarschijnlijk",
        "Onwaarschijnlijk",
        "Niet waarschijnlijk, niet onwaarschijnlijk",
        "Waarschijnlijk",
        "Zeer waarschijnlijk",
    ]
    numbers = {word: k for words in (agree, likely) for k, word in enumerate(words, start=1)}
    efficacy = data["QID5_1"].map(numbers)
    slope = {
        name: efficacy.corr(data[name].map(numbers))
        for name in (f"QID{conflict}_{k}" for conflict in (9, 10) for k in range(1, 6))
    }
    expected = dict.fromkeys(slope, 0) | {"QID9_1": -sign, "QID9_4": sign}  # avoidance, trade-off
    assert {name: int(np.sign(r)) if abs(r) > 0.08 else 0 for name, r in slope.items()} == expected


@pytest.mark.parametrize(("scale", "sign"), [(1, -1), (0, 0), (-1, 1)])
def test_job_insecurity_depends_on_the_arrangement(tmp_path: Path, scale: int, sign: int) -> None:
    study = "frontline_interviews"
    sizes = [
        f"{study}.countries.{country}.{what}={n}"
        for country in ("Scotland", "United States")
        for what, n in (("organisations", 100), ("interviews", 1000))
    ]
    path = make(tmp_path, f"true_effect_scale={scale}", *sizes, studies=(study,))[study]
    share = coded_share(path, "Job insecurity")
    difference = share["Mission of the organisation"] - share["State policy"]
    assert (int(np.sign(difference)) if abs(difference) > 0.08 else 0) == sign


def test_the_published_counts_are_met() -> None:
    data = cases(project(FILES["frontline_interviews"])[0])
    assert (len(data), data["Organisation"].nunique()) == (180, 20)
    assert data["Coders"].str.contains(";").sum() == 36
    outcomes = [f"QID6_{k}" for k in range(1, 6)]
    kept = analysable(qualtrics(FILES["coping_experiment"]), "panelid", "1", outcomes)
    assert len(kept) == 257
    outcomes = [f"QID{conflict}_{k}" for conflict in (9, 10) for k in range(1, 6)]
    rows = qualtrics(FILES["coping_survey"])
    assert len(analysable(rows, "token", "Ja, ik neem deel", outcomes)) == 480
    assert len(pyreadstat.read_sav(str(FILES["threat_experiment"]))[0]) == 960


def test_help_seeking_has_the_highest_level() -> None:
    data = pd.DataFrame(qualtrics(FILES["coping_experiment"]))
    ratings = data[[f"QID6_{k}" for k in range(1, 6)]].apply(pd.to_numeric)
    means = ratings.where(ratings.isin([1, 2, 3, 7, 8])).replace({7: 4, 8: 5}).mean()
    assert means.idxmax() == "QID6_3"


def test_sector_is_not_another_name_of_the_country() -> None:
    data = cases(project(FILES["frontline_interviews"])[0])
    assert (data.groupby("Sector")["Country"].nunique() == 2).all()
    assert (data.groupby("Country")["Arrangement"].nunique() == 1).all()
    assert (data.groupby("Organisation")["Sector"].nunique() == 1).all()


def test_every_selection_is_named_by_its_passage() -> None:
    root, archive = project(FILES["frontline_interviews"])
    windows = marked = 0
    for source in root.iter(f"{QDA}TextSource"):
        name = str(source.get("plainTextPath")).removeprefix("internal://")
        raw = archive.read(f"Sources/{name}")
        text = raw.decode("utf-8-sig")
        windows += "\r\n" in text
        marked += raw.startswith(b"\xef\xbb\xbf")
        for selection in source.iter(f"{QDA}PlainTextSelection"):
            start, end = int(selection.get("startPosition")), int(selection.get("endPosition"))
            assert text[start:end] == selection.get("name") != ""
    assert windows
    assert marked


def test_double_coding_is_written_in_both_ways() -> None:
    root, _ = project(FILES["frontline_interviews"])
    coders = {
        case.find(f"{QDA}SourceRef").get("targetGUID"): len(names.split("; "))
        for case, names in zip(root.iter(f"{QDA}Case"), cases(root)["Coders"], strict=True)
    }
    ways = Counter()
    for source in root.iter(f"{QDA}TextSource"):
        if coders[source.get("guid")] == 2:
            sizes = [len(s) for s in source.iter(f"{QDA}PlainTextSelection")]
            ways["together" if 2 in sizes else "apart"] += 1
    assert min(ways["together"], ways["apart"]) > 5


def test_guids_name_one_thing_each() -> None:
    guids = [
        e.get("guid") for e in project(FILES["frontline_interviews"])[0].iter() if e.get("guid")
    ]
    assert len(guids) == len(set(guids))


def test_some_missing_codes_are_declared_and_some_only_labelled() -> None:
    _, meta = pyreadstat.read_sav(str(FILES["threat_experiment"]), user_missing=True)
    assert {name[:4] for name in meta.missing_ranges} == {"kval", "fag_"}
    assert meta.variable_value_labels["job_1"][9.0] == "Ved ikke"
    assert set(meta.variable_value_labels["kval_1"]) == {1, 7, 97, 98, 99}  # ends only
