"""The profile for Slurm fits the rules: its names are theirs, and each attempt asks for more."""

from __future__ import annotations

import re

import yaml

from helpers.repository import ROOT
from metastudy.article import catalogue

PROFILE = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text("utf-8"))
DEFAULT = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text("utf-8"))
RULES = "".join(path.read_text("utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
NAMES = set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)\b", RULES, re.MULTILINE))


def test_every_rule_that_the_profile_names_is_there() -> None:
    grouped = {pair.split("=")[0] for pair in PROFILE["groups"]}
    assert grouped | set(PROFILE["set-resources"]) <= NAMES
    groups = {pair.split("=")[1] for pair in PROFILE["groups"]}
    assert {pair.split("=")[0] for pair in PROFILE["group-components"]} <= groups


def test_the_figures_of_each_kind_of_model_have_a_rule_and_a_place_in_the_profile() -> None:
    drawn = {f"draw_{kind}" for kind in catalogue.MODULE_FIGURES}
    assert drawn == {name for name in NAMES if name.startswith("draw_")}
    assert {f"{name}=article" for name in ("draw", *drawn)} <= set(PROFILE["groups"])


def test_every_attempt_asks_for_more_than_the_one_before() -> None:
    for asked in (PROFILE["default-resources"], *PROFILE["set-resources"].values()):
        for name in ("mem_mb", "runtime"):
            first, second = (eval(asked[name], {"attempt": attempt}) for attempt in (1, 2))
            assert 0 < first < second


def test_a_rule_that_asks_for_memory_has_its_line_in_the_profile() -> None:
    rules = re.split(r"^rule ", RULES, flags=re.MULTILINE)[1:]
    for name, asked in (
        (rule.split(":")[0], int(found[1]))
        for rule in rules
        if (found := re.search(r"mem_mb=(\d+)", rule))
    ):
        assert eval(PROFILE["set-resources"][name]["mem_mb"], {"attempt": 1}) >= asked + 250


def test_tries_are_counted_by_the_profile_and_not_by_rules() -> None:
    assert PROFILE["retries"] >= 1
    assert not re.search(r"^    retries:", RULES, re.MULTILINE)


def test_what_reruns_is_decided_as_on_one_machine() -> None:
    for name in ("rerun-triggers", "max-checksum-file-size", "rerun-incomplete"):
        assert PROFILE[name] == DEFAULT[name]
