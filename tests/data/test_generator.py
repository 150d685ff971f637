"""The data that ship: what the simulated files promise, that nothing else made them, and that the
published findings say no more than was verified.

The files are read here with plain tools, not with the workflow's readers.
"""

from __future__ import annotations

import ast
import csv
import hashlib
import json
import re
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

from helpers.repository import ROOT

RAW = ROOT / "data" / "raw"
GENERATOR = ROOT / "data" / "generator"
WORLD = GENERATOR / "world.yaml"

sys.path.insert(0, str(GENERATOR))

import generate  # noqa: E402

FILES = {study: RAW / study / file for study, (file, _) in generate.STUDIES.items()}
QDA = "{urn:QDA-XML:project:1.0}"
PROJECTS = ("frontline_interviews", "coping_cases")


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
    """One row a case, or a source where there are no cases, and one column a variable."""
    names = {v.get("guid"): v.get("name") for v in root.iter(f"{QDA}Variable")}
    holders = list(root.iter(f"{QDA}Case")) or list(root.iter(f"{QDA}TextSource"))
    return pd.DataFrame(
        [
            {
                names[ref.get("targetGUID").lower()]: value.text
                for ref, value in holder.iter(f"{QDA}VariableValue")
            }
            for holder in holders
        ]
    )


def coded_share(path: Path, code: str, by: str) -> pd.Series:
    """Share of interviews with a code, by a variable of the interviews."""
    root, _ = project(path)
    guid = next(c.get("guid") for c in root.iter(f"{QDA}Code") if c.get("name") == code)
    coded = [
        any(ref.get("targetGUID").lower() == guid for ref in source.iter(f"{QDA}CodeRef"))
        for source in root.iter(f"{QDA}TextSource")
    ]
    return pd.Series(coded).groupby(cases(root)[by]).mean()


def finnish() -> pd.DataFrame:
    """The Finnish matrix, every cell as its text."""
    path = FILES["finnish_cases"]
    return pd.read_csv(path, sep="\t", encoding="utf-8-sig", dtype=str, keep_default_na=False)


def findings() -> pd.DataFrame:
    """The published findings, every cell as its text."""
    path = RAW / "published_findings" / "published_findings.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def bibliography() -> set[str]:
    """The keys of the bibliography."""
    text = (ROOT / "manuscript" / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{(\w+),", text, re.MULTILINE))


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
    share = coded_share(path, "Job insecurity", by="Arrangement")
    difference = share["Mission of the organisation"] - share["State policy"]
    assert (int(np.sign(difference)) if abs(difference) > 0.08 else 0) == sign


@pytest.mark.parametrize(("scale", "sign"), [(1, 1), (0, 0), (-1, -1)])
def test_citizens_avoid_and_escalate_more_and_nothing_else(
    tmp_path: Path, scale: int, sign: int
) -> None:
    study = "coping_cases"
    sizes = [
        f"{study}.cases.{case}.{what}={n}"
        for case in ("Tijdelijk gebruik", "Ouderenzorg", "Stedelijke mobiliteit")
        for what, n in (("initiatives", 60), ("interviews", 1000))
    ]
    path = make(tmp_path, f"true_effect_scale={scale}", *sizes, studies=(study,))[study]
    codes = yaml.safe_load(WORLD.read_text(encoding="utf-8"))[study]["true_prevalence"]
    signs = {}
    for code in codes:
        share = coded_share(path, code, by="Rol")
        difference = share["Burger"] - share["Ambtenaar"]
        signs[code] = int(np.sign(difference)) if abs(difference) > 0.08 else 0
    assert signs == dict.fromkeys(codes, 0) | {"Ontwijken": sign, "Escaleren": sign}


def test_the_published_counts_are_met() -> None:
    data = cases(project(FILES["frontline_interviews"])[0])
    assert (len(data), data["Organisation"].nunique()) == (180, 20)
    assert data["Coders"].str.contains(";").sum() == 36
    data = cases(project(FILES["coping_cases"])[0])
    temporary = data[data["Domein"] == "Tijdelijk gebruik"]
    assert (len(temporary), temporary["Initiatief"].nunique()) == (35, 8)
    managers = pd.read_csv(FILES["management_cases"], sep=";", encoding="cp1252")
    assert (len(managers), managers["organisation"].nunique()) == (3, 3)
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


@pytest.mark.parametrize(("study", "folder"), [*zip(PROJECTS, ("Sources", "sources"), strict=True)])
def test_every_selection_is_named_by_its_passage(study: str, folder: str) -> None:
    root, archive = project(FILES[study])
    windows = marked = 0
    for source in root.iter(f"{QDA}TextSource"):
        name = str(source.get("plainTextPath")).removeprefix("internal://")
        raw = archive.read(f"{folder}/{name}")
        text = raw.decode("utf-8-sig")
        windows += "\r\n" in text
        marked += raw.startswith(b"\xef\xbb\xbf")
        for selection in source.iter(f"{QDA}PlainTextSelection"):
            start, end = int(selection.get("startPosition")), int(selection.get("endPosition"))
            assert text[start:end] == selection.get("name") != ""
    assert windows
    assert marked


@pytest.mark.parametrize(("study", "column"), [*zip(PROJECTS, ("Coders", "Codeurs"), strict=True)])
def test_double_coding_is_written_in_both_ways(study: str, column: str) -> None:
    root, _ = project(FILES[study])
    readers = cases(root)[column].str.split("[;,]").str.len()
    double = readers.to_numpy() == 2
    assert 0.15 < double.mean() <= 0.20
    ways = Counter()
    for source, twice in zip(root.iter(f"{QDA}TextSource"), double, strict=True):
        selections = list(source.iter(f"{QDA}PlainTextSelection"))
        assert twice or all(len(selection) == 1 for selection in selections)
        if twice:
            ways["together" if 2 in map(len, selections) else "apart"] += 1
    assert min(ways["together"], ways["apart"]) > 2


@pytest.mark.parametrize("study", PROJECTS)
def test_guids_name_one_thing_each(study: str) -> None:
    guids = [e.get("guid") for e in project(FILES[study])[0].iter() if e.get("guid")]
    assert len(guids) == len(set(guids))


def test_the_second_project_looks_as_if_another_program_had_made_it() -> None:
    root, archive = project(FILES["coping_cases"])
    texts = [archive.read(n) for n in archive.namelist() if n != "project.qde"]
    assert all(text.count(b"\n") == text.count(b"\r\n") > 0 for text in texts)
    assert 0 < sum(text.startswith(b"\xef\xbb\xbf") for text in texts) < len(texts)
    assert not list(root.iter(f"{QDA}Case"))
    users = [
        tuple(name for name in ("creatingUser", "modifyingUser") if coding.get(name))
        for coding in root.iter(f"{QDA}Coding")
    ]
    assert set(users) == {("creatingUser",), ("modifyingUser",)}
    known = {user.get("guid") for user in root.iter(f"{QDA}User")}
    for coding in root.iter(f"{QDA}Coding"):
        reference = coding.get("creatingUser") or coding.get("modifyingUser")
        assert reference not in known
        assert reference.lower() in known
    escalating = next(c for c in root.iter(f"{QDA}Code") if c.get("name") == "Escaleren")
    assert escalating.get("isCodable") == "true"
    assert [child.get("name") for child in escalating] == ["Hulp vragen"]


def test_two_coders_overlap_where_each_has_an_own_selection() -> None:
    root, _ = project(FILES["coping_cases"])
    codeurs = cases(root)["Codeurs"]
    overlaps = 0
    for source, names in zip(root.iter(f"{QDA}TextSource"), codeurs, strict=True):
        found: dict[str, list[tuple[int, int, str]]] = {}
        for selection in source.iter(f"{QDA}PlainTextSelection"):
            place = int(selection.get("startPosition")), int(selection.get("endPosition"))
            if len(selection) == 1 and "," in names:
                code = next(selection.iter(f"{QDA}CodeRef")).get("targetGUID")
                user = selection[0].get("creatingUser") or selection[0].get("modifyingUser")
                found.setdefault(code, []).append((*place, user))
        for places in found.values():
            overlaps += sum(
                a[2] != b[2] and a[:2] != b[:2] and a[0] < b[1] and b[0] < a[1]
                for i, a in enumerate(places)
                for b in places[:i]
            )
    assert overlaps > 5


def test_every_initiative_has_both_roles_and_one_domain() -> None:
    data = cases(project(FILES["coping_cases"])[0])
    assert set(data["Rol"]) == {"Burger", "Ambtenaar", "Projectcoördinator"}
    for _, initiative in data.groupby("Initiatief"):
        assert {"Burger", "Ambtenaar"} <= set(initiative["Rol"])
        assert initiative["Domein"].nunique() == 1


def test_the_finnish_matrix_is_coded_twice_in_part() -> None:
    raw = FILES["finnish_cases"].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    data = finnish()
    world = yaml.safe_load(WORLD.read_text(encoding="utf-8"))["finnish_cases"]
    codes = list(world["true_prevalence"]["Naapurustohanke"])
    about = ["haastattelu", "tapaus", "perusta", "yksikkö", "ammatti", "päivämäärä"]
    once = data.drop_duplicates(about)
    assert (len(data), len(once), once["haastattelu"].nunique()) == (36, 30, 30)
    assert once["tapaus"].value_counts().to_dict() == {
        "Naapurustohanke": 14,
        "Sovittelutoiminta": 16,
    }
    assert not data.duplicated(["haastattelu", "koodaaja"]).any()
    assert once.groupby("yksikkö")["tapaus"].nunique().eq(1).all()
    assert once["yksikkö"].value_counts().min() >= 2
    cells = {coder: set(rows[codes].to_numpy().ravel()) for coder, rows in data.groupby("koodaaja")}
    assert cells == {"AK": {"1", "0"}, "BL": {"1", ""}}
    assert data["haastattelu"].iloc[30:].isin(data["haastattelu"].iloc[:30]).all()


def test_the_managers_stand_in_a_danish_sheet() -> None:
    raw = FILES["management_cases"].read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 4
    rows = list(csv.DictReader(raw.decode("cp1252").splitlines(), delimiter=";"))
    assert all(re.fullmatch(r"\d+,\d", row["år_i_stillingen"]) for row in rows)
    marks = [
        (row[name], row[f"citat_{name}"])
        for row in rows
        for name in ("gennemførelse", "horisontal", "vertikal")
    ]
    assert {rating for rating, _ in marks} == {"fremmer", "hverken eller", "hæmmer", "ikke belyst"}
    quotes = [quote for _, quote in marks if quote]
    assert all((rating == "ikke belyst") == (quote == "") for rating, quote in marks)
    assert len(quotes) == len(set(quotes)) == 8
    assert all(re.fullmatch(r"C\d\d", quote) for quote in quotes)


def test_weights_restore_the_assumed_population() -> None:
    rows = [row for row in qualtrics(FILES["coping_survey"]) if row["QID3"]]
    weight = np.array([float(row["gewicht"].replace(",", ".")) for row in rows])
    assert weight.min() > 0
    assert weight.mean() == pytest.approx(1, abs=0.001)
    target = yaml.safe_load(WORLD.read_text(encoding="utf-8"))["coping_survey"]["population"]["age"]
    for age, share in target.items():
        mine = np.array([row["QID3"] == age for row in rows])
        assert weight[mine].sum() / weight.sum() == pytest.approx(share, abs=0.01)
        assert mine.mean() != pytest.approx(share, abs=0.01)  # or there is nothing to restore


def test_care_was_asked_for_without_touching_the_answers(tmp_path: Path) -> None:
    study = "coping_survey"
    settings = [f"{study}.too_fast=0", f"{study}.attention_failed=0"]
    other = qualtrics(make(tmp_path, *settings, studies=(study,))[study])
    rows = qualtrics(FILES[study])
    careless = {"QID12", "duration", "endDate", "recordedDate"}
    differ = {
        name
        for row, without in zip(rows, other, strict=True)
        for name in row
        if row[name] != without[name]
    }
    assert differ == careless


def test_every_rule_of_quality_has_something_to_find() -> None:
    rows = [row for row in qualtrics(FILES["coping_survey"]) if row["QID9_1"]]
    assert 0.02 < np.mean([row["QID12"] != "Eens" for row in rows]) < 0.08
    seconds = np.array([int(row["duration"]) for row in rows])
    assert (seconds < np.median(seconds) / 3).sum() >= 12
    batteries = [f"QID{block}_{k}" for block in (5, 6, 8) for k in (1, 2, 3)]
    given = [{row[name] for name in batteries} - {"", "Weet niet"} for row in rows]
    assert sum(len(answers) == 1 for answers in given) >= 5
    checks = [row["QID7"] for row in qualtrics(FILES["coping_experiment"]) if row["QID6_1"]]
    assert set(checks) == {"4", "2"}


def test_the_published_findings_say_that_they_are_real() -> None:
    folder = RAW / "published_findings"
    codebook = yaml.safe_load((folder / "codebook.yaml").read_text(encoding="utf-8"))
    assert codebook["study"]["provenance"] == "observed"
    assert codebook["study"]["design"] == "published"
    first = (folder / "README.md").read_text(encoding="utf-8").splitlines()[0]
    assert "not simulated" in first
    assert "published_findings" not in yaml.safe_load((RAW / "manifest.yaml").read_text("utf-8"))


def test_no_number_of_a_finding_is_one_that_nobody_saw() -> None:
    # Sizes and effects as the public pages gave them, by publication.
    sizes = {
        "jensen2022": "817",
        "jaspers2023": "257",
        "damgaard2023": "864",
        "hollmann2026": "514",
        "jensen2023": "240",
        "rogelberg2010": "270",
        "vanryzin2017": "603",
    }
    effects = {
        "V18-10eur": ("6", "percentage_points", "1359"),
        "ANT20": ("0.131", "scale_points", ""),
    }
    for row in findings().to_dict("records"):
        number = effects.get(row["finding_id"], ("", "", sizes.get(row["citation"], "")))
        assert (row["estimate"], row["metric"], row["n"]) == number, row["finding_id"]
        assert row["se"] == ""
        kind = "published_numeric" if row["estimate"] else "published_direction"
        assert row["verification"] == kind


def test_findings_keep_to_the_vocabulary() -> None:
    known = yaml.safe_load((ROOT / "config" / "vocabulary.yaml").read_text(encoding="utf-8"))
    data = findings()
    assert data["finding_id"].is_unique
    assert not data.duplicated(["citation", "contrast", "outcome"]).any()
    sections = {"role": "roles", "country": "countries", "sector": "sectors", "family": "families"}
    for column, section in sections.items():
        assert set(data[column]) - {""} <= set(known[section]), column
    assert set(data["exposure"]) - {""} <= {*known["factors"], *known["constructs"]}
    assert set(data["direction"]) == {"positive", "negative", "null_result", "not_supported"}
    outcomes = known["constructs"] | known["codes"]
    for row in data.to_dict("records"):
        if row["outcome"] in outcomes:
            assert row["family"] == outcomes[row["outcome"]]["family"], row["finding_id"]
    assert data[["contrast", "source", "exposure_type"]].ne("").all(axis=None)


def test_every_citation_stands_in_the_bibliography() -> None:
    cited = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["study"]["citation"]
        for path in RAW.glob("*/codebook.yaml")
    }
    assert cited | set(findings()["citation"]) <= bibliography()


def test_every_publication_is_appraised_in_every_domain() -> None:
    data = pd.read_csv(ROOT / "data" / "appraisal.csv", dtype=str, keep_default_na=False)
    domains = ["randomisation", "selection", "measurement", "missing_data", "reporting", "coding"]
    cited = {
        yaml.safe_load(path.read_text(encoding="utf-8"))["study"]["citation"]
        for path in RAW.glob("*/codebook.yaml")
    }
    assert set(data["study"]) == cited | set(findings()["citation"])
    for study, rows in data.groupby("study"):
        assert rows["domain"].to_list() == domains, study
        assert rows["certainty"].nunique() == 1, study
    judgements = {"low", "some_concerns", "high", "not_assessed", "not_applicable"}
    assert set(data["judgement"]) <= judgements
    assert set(data["certainty"]) <= {"high", "moderate", "low", "very_low", "not_assessed"}
    assert data[["reason", "source"]].ne("").all(axis=None)
    # Only abstracts were seen, so a judgement that is clean throughout would be a pretence.
    assert data["judgement"].eq("not_assessed").groupby(data["study"]).any().all()


def test_codes_are_shared_between_the_interviews_and_the_cases() -> None:
    applied = {
        study: set(yaml.safe_load((RAW / study / "codebook.yaml").read_text("utf-8"))["outcomes"])
        for study in ("frontline_interviews", "coping_cases", "finnish_cases")
    }
    for study in ("coping_cases", "finnish_cases"):
        assert len(applied[study] & applied["frontline_interviews"]) >= 4, study
    assert "uncertainty" in set.intersection(*applied.values())
    managers = yaml.safe_load((RAW / "management_cases" / "codebook.yaml").read_text("utf-8"))
    assert "outcomes" not in managers
    assert "exposures" not in managers


def test_some_missing_codes_are_declared_and_some_only_labelled() -> None:
    _, meta = pyreadstat.read_sav(str(FILES["threat_experiment"]), user_missing=True)
    assert {name[:4] for name in meta.missing_ranges} == {"kval", "fag_"}
    assert meta.variable_value_labels["job_1"][9.0] == "Ved ikke"
    assert set(meta.variable_value_labels["kval_1"]) == {1, 7, 97, 98, 99}  # ends only
