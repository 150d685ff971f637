"""Verify: build again from the raw data, elsewhere, and compare with the numbers of record."""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from metastudy.commands._run import run
from metastudy.common.problems import MetastudyError
from metastudy.data_report.pages import write
from metastudy.record.certificate import certificate_page, of_build
from metastudy.record.page import verdict_page
from metastudy.record.rebuild import build, placed, prepare
from metastudy.record.rebuild_folder import place_of
from metastudy.record.record_file import dumped, load, made
from metastudy.record.verdict import judge

__all__ = ["main", "other_settings"]


def other_settings(config: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """The configuration of the rebuild: no store, another seed unless one is given.

    Data that lie outside of the project are read where they are.
    """
    found = placed(copy.deepcopy(dict(config)), project)
    seed = found["verify"]["seed"]
    found["sampling"]["seed"] = found["sampling"]["seed"] + 1 if seed is None else seed
    found["store"] = None
    if key := found["pseudonyms"].get("key_file"):
        found["pseudonyms"]["key_file"] = str((project / key).absolute())
    return found


def main() -> None:
    """Entry point of the rule ``verify``; it ends well whatever the verdict is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, help="of `accept`")
    parser.add_argument("--config", type=json.loads, required=True, help="JSON: all of it")
    parser.add_argument("--repository", type=Path, required=True, help="holds workflow and envs")
    parser.add_argument("--snakefile", type=Path, required=True, help="what is built")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the verdict")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "verdict.json").unlink(missing_ok=True)  # no verdict is better than an old one
    project = Path.cwd()
    accepted = load(args.record)
    config = other_settings(args.config, project)
    folder = place_of(args.config, project, args.repository, args.out.parent)
    settings = prepare(folder, config, project)
    log, library = args.out / "rebuild.log", args.repository.absolute() / "workflow"
    if not build(folder, settings, args.snakefile.absolute(), args.cores, log, library):
        raise MetastudyError(f"the rebuild failed, so there is no verdict; {log} says why")
    rebuilt = made(folder / "results", args.repository)
    verdict = judge(accepted, rebuilt)
    (args.out / "record.json").write_text(dumped(rebuilt), "utf-8")
    studies = sorted(rebuilt["provenance"])
    certificate = of_build(folder / config["data"], studies, verdict)
    text = json.dumps(certificate, indent=1, ensure_ascii=False) + "\n"
    (args.out / "certificate.json").write_text(text, "utf-8")
    marked = certificate_page(certificate, list(rebuilt["provenance"].values()))
    write([verdict_page(verdict, rebuilt["provenance"]), marked], args.out)
    when = {"date": datetime.now(UTC).date().isoformat(), "commit": rebuilt["commit"]}
    said = json.dumps(when | verdict, indent=1)
    (args.out / "verdict.json").write_text(said + "\n", "utf-8")
    print(f"{verdict['verdict']}: {verdict['why']}")


if __name__ == "__main__":
    run(main)
