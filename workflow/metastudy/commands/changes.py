"""Changes: what each change since the record did to its numbers, by a chain of rebuilds."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path

from metastudy.commands._run import run
from metastudy.record import steps
from metastudy.record.between import Between
from metastudy.record.rebuild import placed
from metastudy.record.rebuild_folder import place_of
from metastudy.record.record_file import load, made


def main() -> None:
    """Entry point of the rule ``changes``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", type=Path, required=True, help="of `accept`")
    parser.add_argument("--results", type=Path, required=True, help="folder of the build of today")
    parser.add_argument("--config", type=json.loads, required=True, help="JSON: all of it")
    parser.add_argument("--repository", type=Path, required=True, help="holds workflow and envs")
    parser.add_argument("--snakefile", type=Path, required=True, help="what is built")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--logs", type=Path, required=True, help="folder of the builds' logs")
    parser.add_argument("--out", type=Path, required=True, help="record_changes.json")
    args = parser.parse_args()
    project = Path.cwd()
    folder = place_of(args.config, project, args.repository, args.results)
    config = placed(copy.deepcopy(args.config), project)
    config["store"] = str((project / (config["store"] or folder / "changes" / "store")).absolute())
    if key := config["pseudonyms"].get("key_file"):
        config["pseudonyms"]["key_file"] = str((project / key).absolute())
    chain = Between(
        record=load(args.record),
        today=made(args.results, args.repository, project),
        config=config,
        record_path=args.record,
        project=project,
        repository=args.repository.absolute(),
        snakefile=args.snakefile.absolute(),
        folder=folder,
        logs=args.logs.absolute(),
        cores=args.cores,
    )
    planned, records, why = chain.states()
    found = steps.chain_of(records, planned, why)
    new = args.out.with_name(f".{args.out.name}.new")
    new.write_text(steps.dumped(found), "utf-8")
    new.replace(args.out)
    for name, count in zip(found.steps, found.moved, strict=True):
        print(f"{name}: {count} of {found.compared} numbers moved")
    if why:
        print(f"not separated: {why}")


if __name__ == "__main__":
    run(main)
