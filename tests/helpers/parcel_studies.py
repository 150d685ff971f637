"""Studies made for parcels: raw files with as many people in each site and condition as asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import yaml

from helpers.raw_studies import VOCABULARY
from metastudy.codebook.codebook import load
from metastudy.harmonize.harmonize import harmonize_file, save
from metastudy.harmonized.study import Study, load_study
from metastudy.parcelling.control import control
from metastudy.parcelling.controlled import Controlled
from metastudy.parcelling.make import documents
from metastudy.parcels.parcel import write

KEY = b"the owner's key for tests"
CONSTRUCTS = ("threat_quality", "threat_job")
ITEMS = {name: [f"{name}_{i}" for i in (1, 2, 3)] for name in CONSTRUCTS}
# What must be nowhere in a parcel: names of places and people, free text, names of other columns.
PLANTED = ("Nursing home Sundbakken", "Jane Q. Citizen", "said in confidence", "secret_column")
MANIFEST = {
    "checksum": {"algorithm": "HMAC-SHA-256", "data": "a" * 64, "codebook": "b" * 64},
    "code": "c" * 64,
    "lock": "d" * 64,
    "least": 10,
    "provenance": "simulated",
}


def raw_study(
    data: Path,
    name: str,
    *,
    country: str = "DK",
    each: int = 15,
    sites: int = 3,
    missing: int = 0,
    seed: int = 1,
    between: float | None = None,
) -> Path:
    """Make a study's folder with a data file, its codebook, and its line in the manifest.

    Parameters
    ----------
    each : people of a site and condition; of two conditions.
    missing : people, the first of the file, who did not answer the second outcome. They are of
        the sites and conditions in turn.
    between : standard deviation of sites, those within being 1; without it a site has 0.4 more
        than the one before.
    """
    rng, lines = np.random.default_rng(seed), []
    of_site = 0.4 * np.arange(sites)
    if between is not None:
        of_site = between * np.random.default_rng(seed + 1).normal(size=sites)
    columns = [item for items in ITEMS.values() for item in items]
    for i in range(2 * each * sites):
        arm, site = i % 2, (i // 2) % sites
        person = rng.normal(size=(2, 1)) + rng.normal(size=(2, 3)) / 2
        score = 4 + of_site[site] + 0.6 * arm + person
        answers = np.clip(np.round(score), 1, 7).astype(int)
        cells = [*map(str, answers.ravel())]
        if i < missing:
            cells[3:] = ["", "", ""]
        lines.append(
            [f"{PLANTED[1]} {i}", f"{PLANTED[0]} {site}", str(1 + arm), *cells, PLANTED[2]]
        )
    head = ["nr", "home", "arm", *columns, PLANTED[3]]
    content = "\n".join(",".join(line) for line in [head, *lines]) + "\n"
    folder = data / name
    folder.mkdir(parents=True)
    (folder / "answers.csv").write_text(content, "utf-8")
    item = "  - {{name: {}, as: item, construct: {}, min: 1, max: 7}}\n"
    (folder / "codebook.yaml").write_text(
        f"study:\n  id: {name}\n  title: Made for parcels\n  citation: nobody2026\n"
        "  design: experiment\n  response_mode: vignette_hypothetical\n"
        f"  country: {country}\n  sector: elderly_care\n  role: professional\n"
        "  arrangement: volunteer_scheme\n  provenance: simulated\n"
        "file: {name: answers.csv, format: csv}\nvariables:\n  - {name: nr, as: id}\n"
        "  - {name: home, as: site}\n  - {name: arm, as: factor, randomised: true, "
        "factors: {task_type: {1: complementary, 2: core}}}\n"
        + "".join(item.format(i, c) for c, items in ITEMS.items() for i in items)
        + f"outcomes: [{', '.join(CONSTRUCTS)}]\nexposures:\n"
        "  - {factor: task_type, type: randomised}\n",
        "utf-8",
    )
    path = data / "manifest.yaml"
    known = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
    known[name] = {"answers.csv": hashlib.sha256(content.encode()).hexdigest()}
    path.write_text(yaml.safe_dump(known), "utf-8")
    return folder


def harmonized(folder: Path, out: Path) -> Study:
    """Harmonize a study's folder into ``out`` and open it."""
    save(harmonize_file(load(folder, VOCABULARY), KEY), out)
    return load_study(out, measured=None)


def report_of(controlled: Controlled) -> dict[str, object]:
    """A report of the data in place of a whole one, which these tests do not read."""
    least = controlled.did["least"]
    return {"study": controlled.study.id, "smallest_cell": least, "reading": {}}


def parcel_of(study: Study, path: Path, least: int = 5) -> Controlled:
    """Write the parcel of a harmonized study; what control did to it."""
    controlled = control(study, VOCABULARY, least)
    inside = documents(controlled, VOCABULARY, report_of(controlled))
    manifest = {**MANIFEST, "study": study.id, "least": controlled.did["least"]}
    write(path, manifest, inside)
    return controlled
