"""Six studies like the experiment that ships: 960 people in 40 homes each, drawn anew."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import yaml

from helpers.raw_studies import KEY, VOCABULARY
from helpers.repository import ROOT
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study

sys.path.insert(0, str(ROOT / "data" / "generator"))

import generate

__all__ = ["six_experiments"]

LIKE = "threat_experiment"
COUNTRIES = ("DK", "FI", "SE", "NL", "BE-VLG", "US")


def six_experiments(folder: Path) -> list[Study]:
    """The harmonized studies, a country each, made into ``folder``."""
    known: dict[str, dict[str, str]] = {}
    raw, names = folder / "raw", []
    for number, country in enumerate(COUNTRIES, start=1):
        name = f"{LIKE}_{number}"
        world = generate.load_world(ROOT / "data" / "generator" / "world.yaml", [f"seed={number}"])
        generate.generate(world, folder / "made", [LIKE])
        shutil.move(folder / "made" / LIKE, raw / name)
        book = yaml.safe_load((ROOT / "data" / "raw" / LIKE / "codebook.yaml").read_text("utf-8"))
        book["study"] |= {"id": name, "label": f"Experiment {number}", "country": country}
        (raw / name / "codebook.yaml").write_text(yaml.safe_dump(book, sort_keys=False), "utf-8")
        file = raw / name / book["file"]["name"]
        known[name] = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
        names.append(name)
    (raw / "manifest.yaml").write_text(yaml.safe_dump(known), "utf-8")
    for name in names:
        save(harmonize_file(load(raw / name, VOCABULARY), KEY), folder / "rows" / name)
    return [load_study(folder / "rows" / name, measured=None) for name in names]
