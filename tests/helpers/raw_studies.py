"""Small studies for the tests, each in a folder of its own.

Every format follows somebody else: the SPSS file is written by pyreadstat; the Qualtrics file has
the three header rows that Qualtrics documents ("Understanding your dataset": the export tag, the
question, the ImportId as JSON); the interviews follow the structure of the REFI-QDA standard 1.5,
QDA-XML `urn:QDA-XML:project:1.0` (Users, CodeBook, Variables, Cases, Sources, in that order).
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

from helpers.repository import ROOT
from metastudy.codebook import vocabulary
from metastudy.codebook.codebook import Codebook, load
from metastudy.harmonize.harmonize import Harmonized, harmonize_file

VOCABULARY = vocabulary.load(ROOT / "config" / "vocabulary.yaml")
KEY = b"a public key"

STUDY = """\
study:
  id: {id}
  title: A small study
  citation: nobody2026
  design: {design}
  response_mode: vignette_hypothetical
  country: DK
  sector: elderly_care
  role: professional
  arrangement: volunteer_scheme
  provenance: simulated
"""

TABLE = """\
variables:
  - {name: nr, as: id}
  - {name: home, as: site}
  - {name: arm, as: factor, randomised: true, factors: {task_type: {1: complementary, 2: core}}}
  - {name: q1, as: item, construct: threat_job, min: 1, max: 7, missing: {98: dont_know}}
  - {name: q2, as: item, construct: threat_job, min: 1, max: 7, keying: reverse, missing: {98: refused}}
outcomes: [threat_job]
exposures:
  - {factor: task_type, type: randomised}
"""  # noqa: E501

ROWS = "nr,home,arm,q1,q2\n1,Aa,1,1,7\n2,Aa,2,7,1\n3,Bø,1,98,2\n4,Bø,2,,98\n"


def study(
    folder: Path, name: str, content: bytes, codebook: str, design: str = "experiment"
) -> Path:
    """Make a study's folder with its data file and codebook, and the manifest beside it."""
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    head = STUDY.format(id=folder.name, design=design)
    (folder / "codebook.yaml").write_text(head + codebook, encoding="utf-8")
    digest = hashlib.sha256(content).hexdigest()
    manifest = f"{folder.name}: {{{name}: {digest}}}\n"
    (folder.parent / "manifest.yaml").write_text(manifest, encoding="utf-8")
    return folder


def table_study(tmp_path: Path, rows: str | bytes = ROWS, codebook: str = TABLE) -> Path:
    """Make a study in plain delimited text."""
    content = rows if isinstance(rows, bytes) else rows.encode()
    file = "file: {name: answers.csv, format: csv}\n"
    return study(tmp_path / "small", "answers.csv", content, file + codebook)


def sav_study(tmp_path: Path, codebook: str = TABLE, declared: bool = False) -> Path:
    """Make a study in SPSS format; `declared`: the file itself declares 97 to 99 as missing."""
    data = pd.DataFrame(
        {
            "nr": [1.0, 2.0, 3.0, 4.0],
            "home": ["Aa", "Aa", "Bø", ""],
            "arm": [1.0, 2.0, 1.0, 2.0],
            "q1": [1.0, 7.0, 98.0, np.nan],
            "q2": [7.0, 1.0, 2.0, 98.0],
        }
    )
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "written.sav"
    ranges = {"q1": [{"lo": 97, "hi": 99}], "q2": [98]} if declared else None
    labels = {"q1": {1: "Helt uenig", 7: "Helt enig", 98: "Ved ikke"}}
    pyreadstat.write_sav(data, path, missing_ranges=ranges, variable_value_labels=labels)
    file = "file: {name: answers.sav, format: sav}\n"
    return study(tmp_path / "small", "answers.sav", path.read_bytes(), file + codebook)


QUALTRICS = """\
file: {name: answers.csv, format: qualtrics, decimal: ','}
variables:
  - {name: _recordId, as: id}
  - {name: QID1, as: consent, accept: [1]}
  - {name: QID3_TEXT, as: trait, trait: tenure_yrs}
  - name: QID2_1
    as: item
    construct: threat_job
    min: 1
    max: 5
    values: {1: 1, 2: 2, 3: 3, 7: 4, 8: 5}
exclude:
  - {rule: preview, variable: status, drop: [Survey Preview]}
  - {rule: duplicate_response, variable: _recordId, duplicates: keep_first}
  - {rule: same_person, variable: token, duplicates: keep_first_complete}
  - {rule: breakoff, unanswered: all_outcomes}
outcomes: [threat_job]
"""

EXPORT = (
    "StartDate,Status,ResponseId,token,Q1,Q2_1,Q3\r\n"
    'Start Date,Response Type,Response ID,token,"Do you\nagree?","Rate, please - First",Years?\r\n'
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Brussels""}","{""ImportId"":""status""}",'
    '"{""ImportId"":""_recordId""}","{""ImportId"":""token""}","{""ImportId"":""QID1""}",'
    '"{""ImportId"":""QID2_1""}","{""ImportId"":""QID3_TEXT""}"\r\n'
    '2020-03-02 08:28:09,IP Address,R_1,t1,1,1,"44,5"\r\n'
    "2020-03-02 09:28:09,Survey Preview,R_2,,1,2,3\r\n"
    "2020-03-02 10:28:09,IP Address,R_3,t3,2,2,3\r\n"
    "2020-03-02 11:28:09,IP Address,R_1,t1,1,1,1\r\n"
    "2020-03-02 12:28:09,IP Address,R_5,t5,1,,\r\n"
    "2020-03-02 13:28:09,IP Address,R_6,t5,1,8,2\r\n"
    "2020-03-02 14:28:09,IP Address,R_7,t7,1,,2\r\n"
)


def qualtrics_study(
    tmp_path: Path, export: str | bytes = EXPORT, codebook: str = QUALTRICS
) -> Path:
    """Make a study exported from Qualtrics."""
    content = export if isinstance(export, bytes) else export.encode()
    return study(tmp_path / "small", "answers.csv", content, codebook)


INTERVIEWS = """\
file: {name: talks.qdpx, format: qdpx}
variables:
  - {name: Number, as: id}
  - {name: Place, as: site}
  - {name: Land, as: country, values: {Scotland: GB-SCT, Finland: FI}}
  - {name: Readers, as: coders}
codes:
  Change of role: role_change
  Not sure: uncertainty
  Look again: ignore
"""

ANN, BOB = "11111111-aaaa-4000-8000-000000000001", "11111111-aaaa-4000-8000-000000000002"

PROJECT = f"""<?xml version="1.0" encoding="utf-8"?>
<Project xmlns="urn:QDA-XML:project:1.0" name="Talks" origin="Somebody's program"
         creatingUserGUID="{ANN}" creationDateTime="2020-01-02T09:00:00Z">
  <Users><User guid="{ANN}" name="Ann"/><User guid="{BOB}" name="Bob"/></Users>
  <CodeBook><Codes>
    <Code guid="C0" name="Strain" isCodable="false">
      <Code guid="C1" name="Change of role" isCodable="true" color="#CC3311"/>
      <Code guid="C2" name="Not sure" isCodable="true"/>
    </Code>
    <Code guid="C3" name="Look again" isCodable="true"/>
  </Codes></CodeBook>
  <Variables>
    <Variable guid="V1" name="Number" typeOfVariable="Integer"/>
    <Variable guid="V2" name="Place" typeOfVariable="Text"/>
    <Variable guid="V3" name="Land" typeOfVariable="Text"/>
    <Variable guid="V4" name="Readers" typeOfVariable="Text"/>
  </Variables>
  <Cases>
    <Case guid="K1" name="First">
      <VariableValue><VariableRef targetGUID="V1"/><IntegerValue>1</IntegerValue></VariableValue>
      <VariableValue><VariableRef targetGUID="V2"/><TextValue>Home</TextValue></VariableValue>
      <VariableValue><VariableRef targetGUID="V3"/><TextValue>Scotland</TextValue></VariableValue>
      <VariableValue><VariableRef targetGUID="V4"/><TextValue>Ann;Bob</TextValue></VariableValue>
      <SourceRef targetGUID="S1"/>
    </Case>
    <Case guid="K2" name="Second">
      <VariableValue><VariableRef targetGUID="V1"/><IntegerValue>2</IntegerValue></VariableValue>
      <VariableValue><VariableRef targetGUID="V3"/><TextValue>Finland</TextValue></VariableValue>
      <VariableValue><VariableRef targetGUID="V4"/><TextValue>Bob</TextValue></VariableValue>
      <SourceRef targetGUID="S2"/>
    </Case>
  </Cases>
  <Sources>
    <TextSource guid="S1" name="Talk" plainTextPath="internal://S1.txt" creatingUser="{ANN}">
      <PlainTextSelection guid="P1" name="one" startPosition="0" endPosition="5">
        <Coding guid="G1" creatingUser="{ANN}"><CodeRef targetGUID="C1"/></Coding>
        <Coding guid="G2" creatingUser="{BOB}"><CodeRef targetGUID="C1"/></Coding>
      </PlainTextSelection>
      <PlainTextSelection guid="P2" name="two" startPosition="3" endPosition="22"
                          creatingUser="{BOB}">
        <Coding guid="G3" modifyingUser="{ANN}"><CodeRef targetGUID="C2"/></Coding>
        <Coding guid="G4"><CodeRef targetGUID="c3"/></Coding>
      </PlainTextSelection>
    </TextSource>
    <TextSource guid="S2" name="Talk" creatingUser="{ANN}">
      <PlainTextContent>What was said.</PlainTextContent>
    </TextSource>
    <PictureSource guid="S3" name="Board" path="internal://board.png"/>
  </Sources>
</Project>
"""

TALK = "First line\r\nand second"  # 22 characters with the Windows line end


def archive(path: Path, members: dict[str, str | bytes], pack: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Pack a ZIP archive and give its bytes."""
    with zipfile.ZipFile(path, "w", pack) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path.read_bytes()


def interview_study(
    tmp_path: Path,
    project: str = PROJECT,
    codebook: str = INTERVIEWS,
    members: dict[str, str | bytes] | None = None,
    content: bytes | None = None,
) -> Path:
    """Make a study of coded interviews."""
    tmp_path.mkdir(exist_ok=True)
    packed = {"project.qde": project, "Sources/S1.txt": TALK} | (members or {})
    data = archive(tmp_path / "packed.zip", packed) if content is None else content
    return study(tmp_path / "small", "talks.qdpx", data, codebook, design="interviews")


CASES = """\
variables:
  - {name: case, as: id}
  - {name: town, as: site}
  - name: open
    as: rating
    dimension: openness
    values: {closed: -1, between: 0, open: 1}
    missing: {unclear: dont_know}
    evidence: quote
vocabulary:
  dimensions:
    openness: {label: Openness, poles: {-1: Closed, 0: Between, 1: Open}}
"""

RATED = "case,town,open,quote\n1,Aa,closed,q-1\n2,Aa,open,\n3,Bø,unclear,q-7\n4,Bø,,\n"


def case_study(tmp_path: Path, rows: str = RATED, codebook: str = CASES) -> Path:
    """Make a study of cases that were rated, in plain delimited text."""
    file = "file: {name: cases.csv, format: csv}\n"
    return study(tmp_path / "small", "cases.csv", rows.encode(), file + codebook, design="cases")


FINDINGS = """\
study:
  id: small
  title: Findings of others
  citation: nobody2026
  design: published
  provenance: observed
file: {name: findings.csv, format: csv}
variables:
  - {name: nr, as: id}
  - {name: paper, as: finding, field: citation}
  - {name: compared, as: finding, field: contrast}
  - {name: kind, as: finding, field: exposure_type, values: {assigned: randomised, asked: measured}}
  - {name: what, as: finding, field: outcome}
  - {name: sign, as: finding, field: direction, values: {+: positive, '-': negative, 0: null_result}}
  - {name: d, as: finding, field: estimate}
  - {name: se, as: finding, field: se}
  - {name: unit, as: finding, field: metric}
  - {name: people, as: finding, field: n}
  - {name: land, as: finding, field: country}
  - {name: level, as: finding, field: verification}
"""  # noqa: E501

FOUND = (
    "nr,paper,compared,kind,what,sign,d,se,unit,people,land,level\n"
    "f2,a2020,more against less,assigned,threat_job,0,0.02,0.1,sd,240,DK,published_numeric\n"
    "f1,b2021,old against young,asked,a label,-,,,,,,published_direction\n"
)


def published_study(tmp_path: Path, rows: str = FOUND, codebook: str = FINDINGS) -> Path:
    """Make a study of published findings."""
    folder = study(tmp_path / "small", "findings.csv", rows.encode(), "")
    (folder / "codebook.yaml").write_text(codebook, encoding="utf-8")
    (folder.parent / "manifest.yaml").write_text("{}")
    return folder


def codebook_of(folder: Path) -> Codebook:
    """Load a study's codebook with the project's vocabulary and the manifest beside the folder."""
    return load(folder, VOCABULARY, folder.parent / "manifest.yaml")


def harmonized(folder: Path) -> Harmonized:
    """Read and harmonize a study."""
    return harmonize_file(codebook_of(folder), KEY)


def command(folder: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run the rule's command on a study."""
    settings = '{"key": "a public key"}'
    return subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.harmonize", "--study-folder", folder),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml", "--pseudonyms", settings),
            *("--manifest", folder.parent / "manifest.yaml", "--out", out),
        ],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
