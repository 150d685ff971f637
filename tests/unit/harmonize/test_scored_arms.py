"""Arms with means: what they are harmonized to, bounds of rounding, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.raw_studies import VOCABULARY, table_study
from helpers.scored_arms import (
    ICC,
    TWO,
    arms_of,
    cells,
    correlation,
    of_arms,
    of_rows,
    people,
    study,
)
from metastudy.codebook.codebook import load
from metastudy.common.problems import BadInput
from metastudy.data_report.inspection.study import inspect
from metastudy.harmonize import pseudonyms
from metastudy.harmonize.harmonize import Harmonized
from metastudy.harmonize.scored_arms import within
from metastudy.harmonized.study import Study
from metastudy.models.answers.estimates import blocks
from metastudy.parcelling.control import control

ONE = TWO[:1]
MEAN, SD = f"m_{ONE[0]}", f"sd_{ONE[0]}"


def made(folder: Path, table: pd.DataFrame, more: str = "", clustered: str | None = "false",
         constructs: tuple[str, ...] = ONE) -> Harmonized:  # fmt: skip
    return study(folder, table, of_arms(constructs, more), clustered)


def test_a_row_counts_as_its_people_and_one_that_a_rule_drops_as_one(tmp_path: Path) -> None:
    rule = "exclude:\n  - {rule: pilot, variable: nr, drop: [9]}\n"
    table = arms_of(people(ONE), ONE)
    pilot = table.iloc[[0]].assign(nr=9, n="many")
    codebook = of_arms(ONE) + rule
    found = study(tmp_path, pd.concat([table, pilot]), codebook)
    assert found.report["rows_kept"] == len(people())
    assert found.report["rows_read"] == len(people()) + 1
    one = Study(found.report, found.tables)
    assert one.people == len(people())
    assert not one.has_rows
    assert list(found.tables["arms"]["mean_within"] < 1e-12) == [True] * 4
    page = inspect(one, VOCABULARY, 5)
    assert [place.n for place in page.places] == [len(people())]
    assert any("4 arms stand for 110 people" in note for note in page.reading.notes)
    with pytest.raises(BadInput, match="arms with means"):
        control(one, VOCABULARY, 10)


def test_the_bound_of_rounding_is_reported_and_holds(tmp_path: Path) -> None:
    table = people(ONE, seed=8)
    whole = arms_of(table, ONE)
    rounded = whole.round({MEAN: 1, SD: 2})
    found = made(tmp_path / "rounded", rounded)
    (note,) = [n for n in found.report["notes"] if n.startswith(f"{ONE[0]}: rounding")]
    by, share = map(float, re.findall(r"([\d.]+) (?:SD|%)", note))
    unit = 100 / 6
    arms = found.tables["arms"]
    assert set(arms["mean_within"].round(9)) == {round(0.05 * unit, 9)}
    assert set(arms["sd_within"].round(9)) == {round(0.005 * unit, 9)}
    smallest = rounded[SD].min() - 0.005
    assert by == pytest.approx(0.1 / smallest, rel=0.05)  # two figures of it are shown
    assert share == pytest.approx(100 * 0.005 / smallest, rel=0.05)
    exact = made(tmp_path / "exact", whole)
    d = [
        float(next(iter(blocks(cells(tmp_path / k, one), VOCABULARY)))[0]["estimate"].iloc[0])
        for k, one in (("rounded", found), ("exact", exact))
    ]
    assert 0 < abs(d[0] - d[1]) <= 1.05 * (by + abs(d[0]) * share / 100)


@pytest.mark.parametrize(
    ("texts", "half"),
    [
        (["3.4", "3", "3.42"], 0.005),
        (["3", "4"], 0.5),
        (["1.5e-3", "2"], 0.00005),
        (["", "7"], 0.5),
    ],
)
def test_the_number_with_the_most_decimals_says_where_a_column_was_rounded(
    texts: list[str], half: float
) -> None:
    assert within(pd.Series(texts)) == pytest.approx(half, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "more", "code", "column", "said", "row"),
    [
        ({SD: 4.0}, "", "impossible-arm", SD, "a standard deviation of 4 around a mean of", "2"),
        ({SD: -1.0}, "", "impossible-arm", SD, "'-1", "2"),
        ({MEAN: 9.5}, "", "off-scale", MEAN, "'9.5'", "2"),
        ({MEAN: ""}, "", "off-scale", MEAN, "nothing", "2"),
        ({"n": 1}, "", "impossible-count", "n", "'1'", "2"),
        ({"n": 30.5}, "", "impossible-count", "n", "'30.5'", "2"),
        ({"home": "Aa", "arm": 2}, "", "duplicate-arm", "home", "the arm of row 2 a second", "3"),
        ({"icc": ""}, ICC, "clustered-arms", "icc", "nothing", "2"),
        ({"m": ""}, ICC, "clustered-arms", "m", "nothing", "2"),
        ({"icc": 1.2}, ICC, "clustered-arms", "icc", "'1.2'", "2"),
        ({"m": 40}, ICC, "clustered-arms", "m", "a cluster of more people than", "2"),
        ({"r": 1.1}, correlation(), "impossible-arm", "r", "'1.1'", "2"),
    ],
)
def test_arms_that_cannot_be_are_one_clear_error(
    tmp_path: Path,
    change: dict[str, object],
    more: str,
    code: str,
    column: str,
    said: str,
    row: str,
) -> None:
    constructs = TWO if "r" in change else ONE
    table = arms_of(people(constructs), constructs).assign(icc=0.1, m=5).astype(object)
    for name, value in change.items():
        table.loc[0, name] = value
    with pytest.raises(BadInput) as bad:
        made(tmp_path, table, more, "true" if more == ICC else "false", constructs)
    (problem,) = bad.value.problems
    assert (problem.code, problem.column, problem.study) == (code, column, "small")
    assert str(problem.row) == row
    assert problem.found.startswith(said)
    assert problem.file.endswith("answers.csv")
    assert problem.expected
    assert problem.fix


def test_outcomes_in_rows_of_their_own_are_refused_with_what_to_write_instead(
    tmp_path: Path,
) -> None:
    """Another number of people for another outcome: no cell of the two can be made."""
    table = arms_of(people(TWO), TWO).drop(columns="r").astype(object)
    columns = {name: [f"m_{name}", f"sd_{name}"] for name in TWO}
    halves = []
    for at in range(2):
        half = table.assign(n=table["n"] - at)
        half[columns[TWO[1 - at]]] = ""
        halves.append(half)
    both = pd.concat(halves, ignore_index=True).assign(nr=range(1, 1 + 2 * len(table)))
    with pytest.raises(BadInput) as bad:
        made(tmp_path, both, "", "false", TWO)
    assert {p.code for p in bad.value.problems} == {"duplicate-arm", "off-scale", "impossible-arm"}
    empty = [p for p in bad.value.problems if p.found == "nothing"]
    assert {p.column for p in empty} == {c for pair in columns.values() for c in pair}
    assert all("design: published" in p.fix for p in empty)


def test_three_correlations_that_no_scores_have_together_are_refused(tmp_path: Path) -> None:
    three = (*TWO, "threat_profession")
    table = arms_of(people(three), three)
    pairs = [(three[0], three[1]), (three[0], three[2]), (three[1], three[2])]
    more = "".join(
        f"  - {{name: r{k}, as: correlation, constructs: [{a}, {b}]}}\n"
        for k, (a, b) in enumerate(pairs)
    )
    table = table.assign(r0=0.9, r1=0.9, r2=[0.9, 0.9, -0.9, 0.9])
    with pytest.raises(BadInput) as bad:
        made(tmp_path, table, more, constructs=three)
    (problem,) = bad.value.problems
    assert (problem.code, str(problem.row)) == ("impossible-arm", "4")


@pytest.mark.parametrize("kind", ["scores", "counts"])
@pytest.mark.parametrize("said", ["study", "variable"])
def test_arms_of_a_design_in_clusters_are_refused_by_name(
    tmp_path: Path, kind: str, said: str
) -> None:
    table = arms_of(people(ONE), ONE).assign(k=3)
    table["street"] = table["home"]
    codebook = of_arms(ONE)
    if kind == "counts":
        count = f"  - {{name: k, as: events, construct: {ONE[0]}}}\n"
        kept = [line for line in codebook.splitlines(keepends=True)
                if "as: mean" not in line and "as: sd" not in line]  # fmt: skip
        codebook = "".join(kept).replace("outcomes:", count + "outcomes:")
    home = "  - {name: home, as: site}\n"
    # Given by cluster, with the cluster as the site, they tell what rows do.
    study(tmp_path / "by_cluster", table, codebook, "true")
    other = codebook.replace(home, "  - {name: street, as: cluster}\n" * (said == "variable"))
    with pytest.raises(BadInput) as bad:
        study(tmp_path / "not", table, other, "true" if said == "study" else "false")
    (problem,) = bad.value.problems
    assert (problem.code, problem.study) == ("clustered-arms", "small")
    assert problem.file.endswith("codebook.yaml")
    assert problem.row is not None
    assert "icc" in problem.fix.lower()


@pytest.mark.parametrize(
    ("out", "put", "said"),
    [
        ("as: people", "as: ignore", "no variable with 'as: people'"),
        (f"{{name: {SD}, as: sd, construct: {ONE[0]}}}", f"{{name: {SD}, as: ignore}}", "no 'sd'"),
        ("{name: nr, as: id}", "{name: nr, as: id}\n  - {name: w, as: weight}", "'as: weight'"),
        (
            f"as: sd, construct: {ONE[0]}",
            f"as: sd, construct: {TWO[1]}",
            f"no 'mean' of '{TWO[1]}'",
        ),
        ("outcomes:", ICC.splitlines()[0] + "\noutcomes:", "no variable with 'as: cluster_size'"),
        ("outcomes:", correlation() + "outcomes:", "a correlation of"),
        (
            "exposures:\n",
            f"exposures:\n  - {{construct: {ONE[0]}, type: measured}}\n",
            "'threat_job'",
        ),
    ],
)
def test_a_codebook_of_arms_says_all_that_arms_need(
    tmp_path: Path, out: str, put: str, said: str
) -> None:
    codebook = of_arms(ONE)
    assert out in codebook
    table = arms_of(people(ONE), ONE).assign(w=1)
    with pytest.raises(BadInput) as bad:
        study(tmp_path, table, codebook.replace(out, put))
    assert any(said in problem.found for problem in bad.value.problems)
    assert all(problem.code == "codebook" for problem in bad.value.problems)


def test_whether_people_came_in_clusters_has_to_be_said_of_means(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no 'clustered' for arms with means"):
        made(tmp_path, arms_of(people(ONE), ONE), clustered=None)


def test_parts_of_an_outcome_need_their_correlation(tmp_path: Path) -> None:
    parts = ("coping_escalation", "coping_help_seeking")
    with pytest.raises(BadInput, match="no correlation of the two"):
        made(tmp_path, arms_of(people(parts), parts), constructs=parts)


def test_rows_of_people_stay_what_they_were(tmp_path: Path) -> None:
    found = study(tmp_path, people(), of_rows(), None)
    one = Study(found.report, found.tables)
    assert one.has_rows
    assert found.tables["arms"].empty
    assert one.counted([one.respondents["country"]]) == {("DK",): len(people())}
    assert np.isfinite(found.tables["measurements"]["value_pomp"]).all()


def test_observed_arms_need_a_secret_key_unless_their_file_may_be_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(pseudonyms.KEY_FILE_VARIABLE, raising=False)
    study(tmp_path, arms_of(people(ONE), ONE), of_arms(ONE))
    book = tmp_path / "small" / "codebook.yaml"
    text = book.read_text("utf-8").replace("provenance: simulated", "provenance: observed")
    book.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="no key file"):
        pseudonyms.key(load(book.parent, VOCABULARY), {"key": "public"})
    book.write_text(text.replace("  clustered:", "  share: 'yes'\n  clustered:"), "utf-8")
    assert pseudonyms.key(load(book.parent, VOCABULARY), {"key": "public"}) == b"public"
    # Rows of people are not open by being shared.
    rows = table_study(tmp_path / "rows") / "codebook.yaml"
    shared = "provenance: observed\n  share: 'yes'"
    rows.write_text(rows.read_text("utf-8").replace("provenance: simulated", shared), "utf-8")
    with pytest.raises(BadInput, match="no key file"):
        pseudonyms.key(load(rows.parent, VOCABULARY), {"key": "public"})


def test_a_row_with_the_mean_of_the_others_is_said_and_one_with_another_mean_is_not(
    tmp_path: Path,
) -> None:
    table = arms_of(people(ONE), ONE)
    own = table[table["arm"] == table["arm"].iloc[0]]
    mean = float(np.average(own[MEAN], weights=own["n"]))
    for name, by, said in (("same", 0.004, 1), ("other", 0.2, 0)):
        row = own.iloc[[0]].assign(
            nr=9, home="County", n=own["n"].sum(), **{MEAN: round(mean + by, 2)}
        )
        notes = made(tmp_path / name, pd.concat([table, row]), constructs=ONE).report["notes"]
        assert sum("other rows of its group together, and their mean" in n for n in notes) == said


def test_rows_of_nobody_are_impossible_counts_and_no_sums(tmp_path: Path) -> None:
    table = arms_of(people(ONE), ONE).assign(n=0)
    table = pd.concat([table, table.iloc[:2].assign(nr=[7, 8], home="County")])
    with pytest.raises(BadInput) as caught:
        made(tmp_path, table, constructs=ONE)
    assert "impossible-count" in {problem.code for problem in caught.value.problems}
