"""The log of a fit says how far it is, and the draws are the same bits with and without it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import nutpie
import pymc as pm
import pytest

from metastudy.inference import progress
from metastudy.inference.progress import Progress
from metastudy.inference.sampling import compile_model, draw


def chain(done: int, wrong: int) -> SimpleNamespace:
    return SimpleNamespace(finished_draws=done, total_draws=2000, divergences=wrong)


def test_a_line_every_ten_seconds_counts_the_draws_of_all_chains() -> None:
    now, lines = [100.0], list[str]()
    told = Progress(lines.append, lambda: now[0])
    for seconds, done, wrong in ((9, 100, 0), (2, 150, 1), (5, 300, 1), (6, 400, 2)):
        now[0] += seconds
        told([chain(done, wrong), chain(done + 50, 0)])
    assert lines == ["draws: 350 of 4000, 1 divergences", "draws: 850 of 4000, 2 divergences"]


@pytest.mark.fit
def test_draws_are_the_same_bits_with_progress_and_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pm.Model() as model:
        pm.Normal("x", pm.Normal("m"), 1, shape=3, observed=[1.0, 2.0, 4.0])
    compiled = compile_model(model)
    given = {"chains": 2, "tune": 500, "draws": 500, "target_accept": 0.8, "seed": 3}
    plain = nutpie.sample(compiled, **given, cores=1, save_warmup=False, progress_bar=False)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    found = draw(compiled, given)
    assert "draws: " in capsys.readouterr().out
    np.testing.assert_array_equal(found["posterior"]["m"].values, plain["posterior"]["m"].values)


@pytest.mark.fit
def test_draws_are_the_same_bits_on_one_two_and_four_cores() -> None:
    with pm.Model() as model:
        pm.Normal("x", pm.Normal("m", shape=2).sum(), 1, observed=[1.0, 2.0, 4.0])
    compiled = compile_model(model)
    given = {"chains": 4, "tune": 200, "draws": 200, "target_accept": 0.8, "seed": 3}
    one, two, four = (draw(compiled, given, cores)["posterior"]["m"].values for cores in (1, 2, 4))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, four)
