"""Parts folded into wholes: ratings by their mean, codes by their presence."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from helpers.hand_made import answer_study, coding_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy import config
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.rows import rows_of
from metastudy.models.codings.cells import code_cells

NAN = float("nan")
WHOLE, PART = "coping_escalation", "coping_help_seeking"
TOLD, ASKED = "narrated_escalation", "narrated_help_seeking"
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))


def test_a_part_belongs_to_the_outermost_whole_that_is_an_outcome_and_of_its_family() -> None:
    def entry(family: str, branch: str) -> dict[str, str]:
        return {"label": "x", "family": family, "branch": branch}

    codes = {
        "whole": entry("one", "none"),
        "part": entry("one", "whole"),
        "part_of_part": entry("one", "part"),
        "stranger": entry("other", "whole"),
        "itself": entry("one", "itself"),
    }
    vocabulary = Vocabulary({"constructs": {}, "codes": codes})
    assert vocabulary.folding(list(codes)) == {
        "whole": "whole",
        "part": "whole",
        "part_of_part": "whole",
        "stranger": "stranger",
        "itself": "itself",
    }
    assert vocabulary.folding(["part_of_part", "whole"])["part_of_part"] == "part_of_part"


def test_a_score_of_the_whole_is_the_mean_of_what_there_is() -> None:
    vignette = "user_vs_collective_value"
    ratings = {
        (WHOLE, vignette): [10.0, 20.0, NAN, 40.0, 30.0],
        (PART, vignette): [50.0, NAN, 70.0, 50.0, 10.0],
        ("coping_avoidance", vignette): [5.0, 6.0, 7.0, 9.0, 8.0],
    }
    levels = ["low", "low", "low", "high", "high"]
    study = answer_study(
        "a",
        ratings,
        {"external_efficacy": levels},
        [WHOLE, PART, "coping_avoidance"],
        [{"factor": "external_efficacy", "type": "randomised"}],
    )
    rows = rows_of(study, "coping", VOCABULARY, folded=True)
    assert set(rows.y.columns) == {(WHOLE, vignette), ("coping_avoidance", vignette)}
    outcome = (WHOLE, vignette)
    scale, centre = rows.scale.loc[[outcome], "scale"].item(), rows.centre[outcome].item()
    scores = rows.y[outcome] * scale + centre
    np.testing.assert_allclose(scores, [30, 20, 70, 45, 20])
    cells = answer_cells([study], "coping", VOCABULARY, folded=True)
    assert list(cells.construct.values) == ["coping_avoidance", WHOLE]
    assert cells.attrs["variant"] == "folded"
    assert answer_cells([study], "coping", VOCABULARY).attrs["variant"] == "main"


def test_a_code_is_present_where_it_or_a_part_of_it_is() -> None:
    interviews = [
        ("org", {"coder-1": [TOLD], "coder-2": [ASKED]}),
        ("org", {"coder-1": [TOLD, ASKED], "coder-2": []}),
        ("org", {"coder-1": [ASKED]}),
        ("org", {"coder-1": []}),
    ]
    study = coding_study("a", interviews, [TOLD, ASKED])
    cells = code_cells([study], "strain", VOCABULARY, folded=True)
    assert list(cells.code.values) == [TOLD]
    np.testing.assert_array_equal(cells.single.values[0, 0], [1, 1])
    np.testing.assert_array_equal(cells.double.values[0, 0], [1, 1, 0, 0])


def test_a_study_without_the_whole_keeps_the_part_as_it_is() -> None:
    study = coding_study("a", [("org", {"coder-1": [ASKED]})], [ASKED])
    folded, main = (
        code_cells([study], "strain", VOCABULARY, folded=folded) for folded in (True, False)
    )
    assert folded.drop_attrs().identical(main.drop_attrs())


def test_the_settings_name_the_fits_that_the_studies_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    asked = {"folded": ["coping", "strain"], "ordinal": ["threat", "coping"]}
    found = config.discover(CONFIG | {"sensitivity": asked})
    variants = {name: fit.variant for name, fit in found.fits.items() if fit.variant != "main"}
    assert set(found.modules) == {name for name, fit in found.fits.items() if fit.variant == "main"}
    assert variants == {
        "coping-folded": "folded",
        "strain-folded": "folded",
        "threat-ordinal": "ordinal",
        "coping-ordinal": "ordinal",
    }
    only = config.discover(CONFIG | {"sensitivity": asked, "studies": "threat_experiment"})
    assert list(only.fits) == ["threat", "threat-ordinal"]
    assert list(config.discover(CONFIG | {"sensitivity": {}}).fits) == list(found.modules)


def test_an_analysis_that_no_study_could_give_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    asked = {"folded": ["threat", "copin"], "ordinal": ["strain"]}
    with pytest.raises(BadInput) as found:
        config.discover(CONFIG | {"sensitivity": asked})
    listed = [(p.column, p.found) for p in found.value.problems]
    assert listed == [
        ("sensitivity.folded", "'threat'"),
        ("sensitivity.folded", "'copin'"),
        ("sensitivity.ordinal", "'strain'"),
    ]
    assert "Did you mean 'coping'?" in found.value.problems[1].expected
