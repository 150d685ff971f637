"""The gates: which draws pass, which do not, and what is then reported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

from helpers.repository import ROOT
from metastudy.common.problems import MetastudyError
from metastudy.inference.convergence import diagnose, gates, verdict
from metastudy.inference.netcdf import save

THRESHOLDS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["gates"]
CHAINS, DRAWS = 4, 1000


def made_up(**changed: np.ndarray) -> tuple[xr.Dataset, xr.Dataset]:
    """Independent draws of two parameters, one with levels, and what the sampler said of them."""
    rng = np.random.default_rng(1)
    shape = (CHAINS, DRAWS)
    arrays = {
        "mu": rng.standard_normal(shape),
        "level": rng.standard_normal((*shape, 2)),
        "diverging": np.zeros(shape, dtype=bool),
        "energy": rng.standard_normal(shape),
        **changed,
    }
    posterior = xr.Dataset(
        {
            "mu": (("chain", "draw"), arrays["mu"]),
            "level": (("chain", "draw", "country"), arrays["level"]),
        },
        coords={"country": ["DK", "FI"]},
    )
    stats = xr.Dataset({n: (("chain", "draw"), arrays[n]) for n in ("diverging", "energy")})
    stats["target_accept"] = 0.9
    return posterior, stats


def missed(posterior: xr.Dataset, stats: xr.Dataset) -> dict[str, dict[str, Any]]:
    return {g["gate"]: g for g in gates(posterior, stats, THRESHOLDS) if not g["passed"]}


def walk(seed: int = 2) -> np.ndarray:
    """A chain that barely moves from draw to draw."""
    noise = np.random.default_rng(seed).standard_normal((CHAINS, DRAWS))
    chain = np.zeros((CHAINS, DRAWS))
    for t in range(1, DRAWS):
        chain[:, t] = 0.98 * chain[:, t - 1] + noise[:, t]
    return chain


def test_good_draws_pass_every_gate() -> None:
    assert missed(*made_up()) == {}
    found = gates(*made_up(), THRESHOLDS)
    assert [g["gate"] for g in found] == ["rhat", "ess_bulk", "ess_tail", "divergences", "ebfmi"]
    assert {g["gate"]: g["threshold"] for g in found} == THRESHOLDS


def test_chains_that_disagree_miss_the_gate_of_rhat_and_are_named() -> None:
    posterior, stats = made_up()
    posterior["level"][0, :, 1] += 3
    found = missed(posterior, stats)
    assert found["rhat"]["parameter"] == "level[FI]"
    assert found["rhat"]["value"] > 1.1


def test_draws_that_depend_on_each_other_miss_the_gates_of_effective_size() -> None:
    found = missed(*made_up(mu=walk()))
    assert {"ess_bulk", "ess_tail"} <= set(found)
    assert found["ess_bulk"]["parameter"] == "mu"
    assert found["ess_bulk"]["value"] < THRESHOLDS["ess_bulk"]


def test_a_single_divergence_misses_its_gate() -> None:
    posterior, stats = made_up()
    stats["diverging"][2, 17] = True
    found = missed(posterior, stats)
    assert set(found) == {"divergences"}
    assert found["divergences"]["value"] == 1


def test_gates_say_with_which_target_acceptance_the_draws_were_made() -> None:
    posterior, stats = made_up()
    found = gates(posterior, stats.assign(target_accept=0.967), THRESHOLDS)
    assert {gate["target_accept"] for gate in found} == {0.967}


def test_energy_that_hardly_changes_misses_its_gate() -> None:
    assert set(missed(*made_up(energy=walk()))) == {"ebfmi"}


def test_a_constant_has_no_convergence_and_is_no_failure() -> None:
    posterior, stats = made_up()
    posterior["diagonal"] = (("chain", "draw"), np.ones((CHAINS, DRAWS)))
    assert missed(posterior, stats) == {}


def test_chains_that_are_stuck_each_at_a_point_of_its_own_do_not_pass() -> None:
    stuck = np.repeat(np.arange(CHAINS, dtype=float)[:, None], DRAWS, axis=1)
    found = missed(*made_up(mu=stuck))
    assert found["rhat"]["parameter"] == "mu"


def test_draws_that_are_no_numbers_do_not_pass() -> None:
    lost = np.random.default_rng(1).standard_normal((CHAINS, DRAWS))
    lost[1, 5] = np.nan
    found = missed(*made_up(mu=lost))
    assert found["rhat"]["parameter"] == "mu"


def test_a_gate_is_missed_just_beyond_its_threshold_and_passed_on_it() -> None:
    posterior, stats = made_up()
    stats["diverging"][0, :2] = True
    for most, passed in ((1, False), (2, True)):
        found = {g["gate"]: g for g in gates(posterior, stats, THRESHOLDS | {"divergences": most})}
        assert found["divergences"]["passed"] is passed


# --- what the user sees --------------------------------------------------------------------------


def saved(path: Path, **groups: tuple[xr.Dataset, xr.Dataset]) -> Path:
    parts = {}
    for name, (posterior, stats) in groups.items():
        parts |= {f"{name}posterior": posterior, f"{name}sample_stats": stats}
    save(xr.DataTree.from_dict(parts), path)
    return path


def failing() -> tuple[xr.Dataset, xr.Dataset]:
    posterior, stats = made_up()
    posterior["level"][0, :, 1] += 3
    stats["diverging"][0, 0] = True
    return posterior, stats


def test_every_set_of_draws_in_a_fit_is_checked(tmp_path: Path) -> None:
    path = saved(tmp_path / "strain.nc", **{"": made_up(), "error_free_": failing()})
    found = diagnose(path, "strain", THRESHOLDS)
    assert found["fit"] == "strain"
    draws = {g["draws"]: [] for g in found["gates"]}
    for gate in found["gates"]:
        draws[gate["draws"]].append(gate["passed"])
    assert all(draws["posterior"])
    assert not all(draws["error_free_posterior"])


def test_fits_that_pass_go_on_without_a_word(tmp_path: Path) -> None:
    verdict([diagnose(saved(tmp_path / "threat.nc", **{"": made_up()}), "threat", THRESHOLDS)])


def test_the_verdict_names_fit_gate_parameter_value_threshold_and_what_to_try(
    tmp_path: Path,
) -> None:
    good = diagnose(saved(tmp_path / "threat.nc", **{"": made_up()}), "threat", THRESHOLDS)
    bad = diagnose(saved(tmp_path / "strain.nc", error_free_=failing()), "strain", THRESHOLDS)
    with pytest.raises(MetastudyError) as caught:
        verdict([good, bad])
    text = str(caught.value)
    (line,) = [row for row in text.splitlines() if " rhat " in row]
    value = next(g["value"] for g in bad["gates"] if g["gate"] == "rhat")
    assert "strain (error_free_posterior)" in line
    assert "rhat of level[FI]" in line
    assert f"{value:.5g}" in line
    assert f"{THRESHOLDS['rhat']:.5g}" in line
    assert "sampling.tune" in line
    (line,) = [row for row in text.splitlines() if "divergences" in row]
    assert "is 1, the gate is 0" in line
    assert "sampling.target_accept" in line
    assert "threat" not in text
    assert "in the configuration under `gates`" in text


def command(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"metastudy.commands.{name}", *map(str, arguments)],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_stops_without_a_traceback_and_writes_no_gates(tmp_path: Path) -> None:
    fit = saved(tmp_path / "threat.nc", **{"": failing()})
    one, gate = tmp_path / "threat.json", tmp_path / "gates.json"
    checked = ("--posterior", fit, "--fit", "threat", "--thresholds", json.dumps(THRESHOLDS))
    done = command("diagnose", *checked, "--out", one)
    assert done.returncode == 0, "a check reports; it is the gate that stops"
    done = command("gate", "--checks", one, "--out", gate)
    assert done.returncode == 1
    assert done.stderr.startswith("error: a fit missed a gate")
    assert "Traceback" not in done.stderr
    assert not gate.exists()
