"""What leaves the building of interviews: no count of few, and nothing that tells one's codings.

Counts are taken in these tests from the tables by pandas, and attacks enumerate all codings that
give the counts of a parcel: neither uses the code that decides what is coarse enough.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from helpers.interview_parcels import CODES, PLANTED, coded_study, even, uneven
from helpers.parcel_studies import report_of
from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import PublishedTable
from metastudy.common.problems import BadInput
from metastudy.data_report.inspection.codings import coding, coding_of_counts
from metastudy.display.labels import Labels
from metastudy.harmonized.study import Study
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.kind import CODINGS
from metastudy.parcelling.control import control
from metastudy.parcelling.differences import check_within
from metastudy.parcelling.loss import losses, said_of
from metastudy.parcelling.make import documents
from metastudy.parcelling.page import owner_page

LEAST, ALIKE = 10, 5
MODULE = "strain"
SETTING = ["country", "sector", "role", "arrangement"]


def cells_after(study: Study, smallest: int = 5) -> xr.Dataset:
    return control(study, VOCABULARY, smallest).coded[MODULE, "main"]


def first_readings(study: Study) -> pd.DataFrame:
    """What the first coder of each interview found, with the place of the interview."""
    coder = study.readings.groupby("source_id")["coder_id"].min()
    own = study.codings.merge(coder.reset_index(), on=["source_id", "coder_id"])
    found = pd.crosstab(own["source_id"], own["code_id"]).clip(upper=1)
    people = study.respondents.set_index("respondent_id")
    return people.join(found.reindex(columns=list(CODES))).fillna(dict.fromkeys(CODES, 0))


# --- counts --------------------------------------------------------------------------------------


def test_of_interviews_enough_everywhere_no_cell_is_touched() -> None:
    study = even("alpha")
    controlled = control(study, VOCABULARY, 5)
    assert controlled.did["untouched"]
    assert controlled.coded[MODULE, "main"].identical(code_cells([study], MODULE, VOCABULARY))
    assert controlled.did["people"] == 240
    assert controlled.did["interviews"]["second_readings_left"] == 0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("smallest", [5, 8, 12])
def test_no_count_is_over_few_interviews_and_none_has_a_margin_of_few(
    seed: int, smallest: int
) -> None:
    study = uneven("alpha", seed)
    before = code_cells([study], MODULE, VOCABULARY)
    assert 0 < before.double.sum("agreement").max() < LEAST, "there is something to do"
    cells = cells_after(study, smallest)
    least, alike = max(LEAST, smallest), max(ALIKE, smallest)
    of_one, of_two = cells.single.values, cells.double.values
    for n in (of_one.sum(-1), of_two.sum(-1)):
        assert ((n == 0) | (n >= least)).all()
    sides = [of_one, *(np.stack([of_two[..., list(a)].sum(-1), of_two[..., list(b)].sum(-1)], -1)
                       for a, b in (((0, 1), (2, 3)), ((0, 2), (1, 3))))]  # fmt: skip
    for counts in sides:
        read = counts.sum(-1) > 0
        assert (counts[read] >= alike).all()


@pytest.mark.parametrize("seed", range(8))
def test_merging_loses_no_interview_and_changes_no_total_of_a_setting(seed: int) -> None:
    """A code is of all interviews of a setting, as the first coder found it, or of none."""
    study = uneven("alpha", seed)
    cells = cells_after(study)
    table = first_readings(study)
    applied = cells.single.values[..., 0] + cells.double.values[..., :2].sum(-1)
    read = cells.single.values.sum(-1) + cells.double.values.sum(-1)
    keys = pd.MultiIndex.from_arrays([cells[name].values for name in SETTING], names=SETTING)
    codes = [str(code) for code in cells.code.values]
    ours = pd.DataFrame(applied, keys, codes).groupby(SETTING).sum()
    n = pd.DataFrame(read, keys, codes).groupby(SETTING).sum()
    by = table.groupby(SETTING)
    size, totals = by.size(), by[codes].sum()
    for place in ours.index:
        for code in codes:
            assert n.loc[place, code] in (0, size[place])
            if n.loc[place, code]:
                assert ours.loc[place, code] == totals.loc[place, code]


def test_small_organisations_are_others_of_their_setting_and_large_ones_stay() -> None:
    size = {"a-org-0": (40, 0), "a-org-1": (40, 0), "a-org-2": (6, 0), "a-org-3": (40, 0),
            "a-org-4": (6, 0), "a-org-5": (4, 0)}  # fmt: skip
    study = coded_study("a", size)
    cells = cells_after(study)
    # On one side there are 12 in two small ones; on the other the 4 need a larger one with them.
    n = cells.single.sum("reading").isel(code=0).to_series().astype(int).to_dict()
    assert n == {"a-org-0": 40, "a-org-1": 40, "a-org-others-1": 44, "a-org-others-2": 12}
    did = control(study, VOCABULARY, 5).did
    assert (did["sites_before"], did["sites_after"]) == (6, 4)
    assert did["people_moved"] == 56
    assert did["people_left"] == 0


def test_a_setting_of_few_interviews_leaves_and_is_counted() -> None:
    size = {"a-org-0": (40, 0), "a-org-1": (40, 0), "a-org-2": (8, 0)}
    study = coded_study("a", size, sector={"a-org-2": "social_care"})
    controlled = control(study, VOCABULARY, 5)
    assert set(controlled.coded[MODULE, "main"].sector.values) == {"elderly_care"}
    assert controlled.did["people_left"] == "<10"
    assert controlled.did["people"] == 80 == controlled.study.report["rows_kept"]
    assert set(controlled.study.respondents["sector"]) == {"elderly_care"}


def test_second_readings_stay_where_there_are_enough_and_else_the_first_is_counted() -> None:
    many = cells_after(coded_study("a", {"a-org-0": (20, 20), "a-org-1": (20, 20)}))
    assert many.double.sum("agreement").values.tolist() == [[20.0] * 4] * 2
    few = cells_after(coded_study("a", {"a-org-0": (20, 4), "a-org-1": (20, 20)}))
    assert few.double.sum("agreement").values.tolist() == [[0.0] * 4, [20.0] * 4]
    assert few.single.sum("reading").values.tolist() == [[24.0] * 4, [20.0] * 4]
    size = {f"a-org-{s}": (20, 6) for s in range(4)}  # two sites a side: twelve of two coders
    together = cells_after(coded_study("a", size))
    n = together.double.sum("agreement").isel(code=0).to_series().astype(int).to_dict()
    assert {unit: n[unit] for unit in n if n[unit]} == {"a-org-others-1": 12, "a-org-others-2": 12}
    assert together.single.sum() == 4 * 4 * 20, "those of one coder stay where they were"


def test_a_code_that_nearly_nobody_has_is_counted_by_setting_or_left_out() -> None:
    size = {f"a-org-{s}": (20, 0) for s in range(6)}
    share = dict(zip(CODES, (0.5, 0.1, 0.05, 1.0), strict=True))
    controlled = control(coded_study("a", size, share), VOCABULARY, 5)
    cells = controlled.coded[MODULE, "main"]
    assert list(cells.code.values) == ["role_change", "uncertainty"]
    n = cells.single.sum("reading").to_series().unstack().astype(int)
    assert n.loc[["a-org-others-1", "a-org-others-2"], "uncertainty"].tolist() == [60, 60]
    assert n.loc["a-org-0", ["role_change", "uncertainty"]].tolist() == [20, 0]
    said = controlled.did["interviews"]
    assert said["codes_left"] == ["job_insecurity", "management_support"]
    assert (said["codes_of_settings"], said["codes_of_settings_left"]) == (8, 4)
    assert controlled.study.report["outcomes"] == ["role_change", "uncertainty"]


# --- attacks -------------------------------------------------------------------------------------


def codings_of(counts: tuple[int, int]) -> Iterator[np.ndarray]:
    """All codings of so many interviews with and without a code, that give these counts."""
    n = sum(counts)
    for chosen in combinations(range(n), counts[0]):
        found = np.zeros(n, dtype=int)
        found[list(chosen)] = 1
        yield found


def determined(counts: tuple[int, int], known: int = 0) -> int:
    """Interviews whose coding is the same in all that give the counts.

    ``known`` interviews, any of them, tell the attacker what they had: the worst choice is taken.
    """
    whole = np.array(list(codings_of(counts)))
    worst = 0
    for own in whole[:: max(1, len(whole) // 40)]:
        order = np.argsort(own, kind="stable")
        for told in (order[:known], order[::-1][:known]):
            fits = whole[(whole[:, told] == own[told]).all(axis=1)]
            rest = np.setdiff1d(np.arange(len(own)), told)
            worst = max(worst, int((fits[:, rest].min(0) == fits[:, rest].max(0)).sum()))
    return worst


def counts_in(cells: xr.Dataset) -> list[tuple[int, int]]:
    """With and without a code: of one coder, and of each of two."""
    found = []
    for single, double in zip(
        cells.single.values.reshape(-1, 2), cells.double.values.reshape(-1, 4), strict=True
    ):
        both, first, second, none = double
        pairs = (tuple(single), (both + first, second + none), (both + second, first + none))
        found += [(int(a), int(b)) for a, b in pairs if a + b]
    return found


def test_without_control_the_attack_recovers_what_everybody_said() -> None:
    study = uneven("alpha")
    counts = [c for c in counts_in(code_cells([study], MODULE, VOCABULARY)) if sum(c) <= 12]
    broken = [c for c in counts if determined(c)]
    assert broken
    assert all(min(c) == 0 for c in broken), "all of them, or none"
    told = [c for c in counts if determined(c, known=2) and c not in broken]
    assert told, "two who compare notes learn of the others"


@pytest.mark.parametrize("seed", range(4))
def test_with_control_nobody_s_coding_is_known_though_four_compare_notes(seed: int) -> None:
    counts = set(counts_in(cells_after(uneven("alpha", seed))))
    assert counts
    for one in sorted(counts):
        if comb(sum(one), one[0]) <= 2_000:
            assert determined(one) == 0
            assert determined(one, known=ALIKE - 1) == 0
        else:  # too many codings to list: after any four there is still one of both kinds
            assert min(one) > ALIKE - 1


def test_five_who_compare_notes_are_the_limit() -> None:
    """The rule is as strong as it says and no stronger, which the documentation says as well."""
    assert determined((5, 7), known=4) == 0
    assert determined((5, 7), known=5) > 0


def test_of_two_numbers_of_interviews_none_is_left_out_by_few() -> None:
    """A code's interviews in a setting are all or none, so no difference of codes is a few."""
    controlled = control(uneven("alpha", 3), VOCABULARY, 5)
    inside = documents(controlled, VOCABULARY, report_of(controlled))
    check_within("alpha", inside, LEAST)
    fit = f"cells/{MODULE}-main.json"
    inside[fit]["numbers"]["single"][0][0][0] += 3
    with pytest.raises(BadInput, match="differ by fewer than 10"):
        check_within("alpha", inside, LEAST)


# --- what is said, and what cannot go ------------------------------------------------------------


def test_no_name_no_id_and_no_coder_is_in_a_parcel_or_on_its_page() -> None:
    study = uneven("alpha")
    named = study.respondents.assign(region=PLANTED[2], occupation=PLANTED[0])
    controlled = control(study.with_tables(respondents=named), VOCABULARY, 5)
    inside = documents(controlled, VOCABULARY, report_of(controlled))
    page = owner_page(
        {"study": "alpha", "provenance": "simulated", "least": 10},
        inside,
        9,
        [],
        Labels(VOCABULARY),
    )
    text = json.dumps(inside, ensure_ascii=False) + page
    for planted in (*PLANTED, *study.respondents["respondent_id"]):
        assert planted not in text
    assert not len(controlled.study.codings), "no coding is left for the data report"
    assert not len(controlled.study.readings)
    assert "Interviews that two coders read" in page
    assert "4 of those who were interviewed" in page
    _, _, held = page.partition("What the parcel holds.")
    texts = held.partition("</table>")[0]
    assert texts.count("<td>") > 5
    assert '<td class="value"' not in texts, "texts stand at the left, and numbers at the right"


def test_the_loss_is_said_in_ratios() -> None:
    study = uneven("alpha", 2)
    controlled = control(study, VOCABULARY, 5)
    found = losses(study, controlled, VOCABULARY)
    assert {one.outcome for one in found} <= {"strain_coded", "enabler_coded"}
    assert any(one.moved for one in found)
    assert len(found) == 2, "one of each family, over both sectors"
    assert [one.gone for one in found] == [0, 0]
    assert [one.wider for one in found] == pytest.approx([0.70, 2.59], abs=0.005)
    said = said_of(found, controlled.did)
    assert said == {"estimates": 2, "lost": 0, "median": 1.65, "largest": 2.6}, "in twentieths"
    same = even("alpha")
    assert {one.moved for one in losses(same, control(same, VOCABULARY, 5), VOCABULARY)} == {0.0}


def test_the_data_report_from_counts_is_that_of_the_rows_where_nothing_was_merged() -> None:
    study = even("alpha")
    ours = coding_of_counts([cells_after(study)], "alpha", 2, 10)
    rows = coding(study, VOCABULARY, 10)
    assert ours is not None
    assert rows is not None
    assert replace(ours, codes=()) == replace(rows, codes=())
    for mine, theirs in zip(ours.codes, rows.codes, strict=True):
        assert (mine.code, mine.sources, mine.double) == (
            theirs.code, theirs.sources, theirs.double,
        )  # fmt: skip
        assert mine.kappa == pytest.approx(theirs.kappa, abs=1e-12)
        assert mine.alpha == pytest.approx(theirs.alpha, abs=1e-12)


def test_interviews_are_counted_once_though_codes_tell_other_organisations_apart() -> None:
    """An organisation by itself for one code and among others for another has one number."""
    size = {f"a-org-{s}": (20, 0) for s in range(6)}
    study = coded_study("a", size, dict(zip(CODES, (0.5, 0.1, 0.5, 0.5), strict=True)))
    cells = cells_after(study)
    per_unit = (cells.single.sum("reading") + cells.double.sum("agreement")).max("code")
    assert per_unit.sum() > 120, "unit by unit they would be counted twice"
    for found in (cells, code_cells([study], MODULE, VOCABULARY)):
        whose, n = CODINGS.sizes(found)
        assert set(whose) == {"a"}
        assert n.sum() == 120
    report = coding_of_counts([cells], "a", 1, 10)
    assert report is not None
    assert report.read == 120
    assert sum(int(one.n) for one in report.organisations) == 120
    assert len(report.organisations) == 6


def test_what_cannot_go_is_refused_by_name() -> None:
    study = even("alpha")
    table = PublishedTable(construct="threat_job")
    with pytest.raises(BadInput, match="published_tables of a study of interviews"):
        control(study, VOCABULARY, 5, [table])
    rated = pd.DataFrame({"respondent_id": ["x"], "dimension": ["implementation"], "rating": [1]})
    with pytest.raises(BadInput, match="ratings of cases"):
        control(study.with_tables(case_ratings=rated), VOCABULARY, 5)
    mixed = replace(study, report={**study.report, "outcomes": [*CODES, "threat_job"]})
    with pytest.raises(BadInput, match="answers on scales and codes of interviews in one study"):
        control(mixed, VOCABULARY, 5)
    small = coded_study("a", {"a-org-0": (4, 0), "a-org-1": (4, 0)})
    with pytest.raises(BadInput, match="no code that 5 interviews"):
        control(small, VOCABULARY, 5)


def test_parts_of_a_code_are_not_counted_as_it_beside_their_own_counts() -> None:
    """Three counts of two codes tell how many have both."""
    codes = ["narrated_escalation", "narrated_help_seeking", "role_change"]
    assert VOCABULARY.folding(codes)["narrated_help_seeking"] == "narrated_escalation"
    size = {f"a-org-{s}": (30, 30) for s in range(2)}
    controlled = control(coded_study("a", size, codes=codes), VOCABULARY, 5)
    alone = documents(controlled, VOCABULARY, report_of(controlled))
    assert {name for name in alone if name.startswith("cells/")} == {"cells/strain-main.json"}
    with pytest.raises(BadInput, match="narrated_help_seeking \\(of narrated_escalation\\)"):
        documents(controlled, VOCABULARY, report_of(controlled), {MODULE: ("main", "folded")})
    plain = control(even("b"), VOCABULARY, 5)
    both = documents(plain, VOCABULARY, report_of(plain), {MODULE: ("main", "folded")})
    assert "cells/strain-folded.json" in both, "of codes that are no parts it is the same"


def test_the_path_of_the_error_is_the_study_s(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        control(coded_study("a", {"a-org-0": (4, 0), "a-org-1": (4, 0)}), VOCABULARY, 5)
    (problem,) = bad.value.problems
    assert (problem.study, problem.code) == ("a", "parcel")
    assert problem.fix
