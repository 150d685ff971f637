"""Simulate the stand-in data of all studies.

    python data/generator/generate.py --world data/generator/world.yaml --out data/raw --manifest

makes `<out>/<study>/<data file>` for every study and, with `--manifest`, `<out>/manifest.yaml`,
the SHA-256 of what was made. `--set key=value` changes the world: `--set true_effect_scale=0` is a
world without effects, `--set coping_survey.analysable=2000` a large survey. Codebooks and READMEs
are written by hand and left alone. Whole other worlds are in config/worlds/, each as what differs
from this one; prepare.py makes them. The generator shares no code with the workflow, so that
neither can hide a mistake of the other.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import cases
import coping
import coping_replications
import finnish
import interviews
import managers
import strain_replications
import threat
from draw import stream

__all__ = ["ELSEWHERE", "STUDIES", "generate", "load_world", "main"]

# What other worlds have beside the studies of this one, by section. Their defaults are not in
# world.yaml, which the true values of the shipped data name by its digest.
ELSEWHERE = {made.SECTION: made for made in (coping_replications, strain_replications)}

STUDIES = {  # study: data file, and what simulates and writes it
    "threat_experiment": ("threat_experiment.sav", threat.write),
    "frontline_interviews": ("frontline_interviews.qdpx", interviews.write),
    "coping_survey": ("coping_survey.csv", coping.write_survey),
    "coping_experiment": ("coping_experiment.csv", coping.write_experiment),
    "coping_cases": ("coping_cases.qdpx", cases.write),
    "management_cases": ("management_cases.csv", managers.write),
    "finnish_cases": ("finnish_cases.tsv", finnish.write),
}


def load_world(
    path: Path, settings: Sequence[str] = (), other: Path | None = None
) -> dict[str, Any]:
    """Read a world and scale its effects.

    `other` is a file with what another world has instead; `settings`, such as
    ``coping_survey.analysable=2000``, change either.
    """
    world = yaml.safe_load(path.read_text(encoding="utf-8"))
    world |= {section: copy.deepcopy(made.NONE) for section, made in ELSEWHERE.items()}
    if other:
        change(world, yaml.safe_load(other.read_text(encoding="utf-8")) or {})
    for setting in settings:
        place, _, value = setting.partition("=")
        difference = yaml.safe_load(value)
        for key in reversed(place.split(".")):
            difference = {key: difference}
        change(world, difference)
    return scaled(world, world.pop("true_effect_scale"))


def change(world: dict[str, Any], difference: dict[str, Any], above: str = "") -> None:
    """Put a difference into a world, section by section; only an empty section takes new keys."""
    named = bool(world)
    for key, value in difference.items():
        if named and key not in world:
            raise SystemExit(f"error: the world has no `{above}{key}`")
        if isinstance(value, dict) and isinstance(world.get(key), dict):
            change(world[key], value, f"{above}{key}.")
        else:
            world[key] = value


def scaled(node: Any, factor: float, effect: bool = False) -> Any:
    """Multiply every number at or below a key `true_effect_*` by `factor`."""
    if isinstance(node, dict):
        return {
            key: scaled(value, factor, effect or key.startswith("true_effect_"))
            for key, value in node.items()
        }
    return node * factor if effect else node


def generate(world: dict[str, Any], out: Path, studies: list[str]) -> dict[str, dict[str, str]]:
    """Write the data files of `studies` under `out`; return study: file: SHA-256.

    Nothing is written when one of the studies holds real data.
    """
    observed = [study for study in studies if provenance(out / study) == "observed"]
    if observed:
        raise SystemExit(
            f"error: {', '.join(observed)}: the codebook says `provenance: observed`. Simulated "
            "data would overwrite real data; name the other studies with --studies."
        )
    made: dict[str, dict[str, str]] = {}
    for study in studies:
        file, write = STUDIES[study]
        path = out / study / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write(world[study], stream(world["seed"], study), path)
        made[study] = {file: hashlib.sha256(path.read_bytes()).hexdigest()}
    return made


def provenance(folder: Path) -> str | None:
    """What the codebook in a study's folder says of its data; None without a codebook."""
    codebook = folder / "codebook.yaml"
    if not codebook.exists():
        return None
    return yaml.safe_load(codebook.read_text(encoding="utf-8"))["study"]["provenance"]


def write_manifest(path: Path, made: dict[str, dict[str, str]]) -> None:
    """Record what was made; studies that were not made now keep their entry."""
    old = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    head = "# SHA-256 of the simulated files, written by data/generator/generate.py.\n"
    body = yaml.safe_dump(dict(sorted((old | made).items())), width=100)
    path.write_text(head + body, encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and generate."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="Simulate the stand-in data of all studies.")
    parser.add_argument("--world", type=Path, default=here / "world.yaml", help="the world file")
    parser.add_argument("--out", type=Path, default=here.parent / "raw", help="where to write")
    parser.add_argument("--studies", nargs="+", choices=list(STUDIES), default=list(STUDIES))
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--manifest", action="store_true", help="write manifest.yaml as well")
    options = parser.parse_args(arguments)
    made = generate(load_world(options.world, options.settings), options.out, options.studies)
    if options.manifest:
        write_manifest(options.out / "manifest.yaml", made)
    for study, files in made.items():
        for file, sha256 in files.items():
            print(f"{study}/{file}  {sha256}")


if __name__ == "__main__":
    main()
