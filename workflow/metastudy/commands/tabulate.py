"""Tabulate: the article's tables as Markdown, the same numbers in full as CSV, and its parts."""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from metastudy.article import catalogue, make, sections
from metastudy.article.catalogue import Item
from metastudy.article.results import Results
from metastudy.article.topics import primary
from metastudy.commands import _results
from metastudy.commands._run import run
from metastudy.common.bibliography import keys
from metastudy.common.problems import BadInput
from metastudy.display.formatting import joined, words
from metastudy.display.pipe_table import Table, markdown
from metastudy.record import collect, history, steps
from metastudy.record.record_file import load


def main() -> None:
    """Entry point of the rule ``tabulate``: all tables, or one with ``--table``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", nargs="*", help="names; all that the inputs allow if left out")
    _results.arguments(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for _tbl-<name>.md, <name>.csv and _part-<name>.md",
    )
    parser.add_argument("--bibliography", type=Path, nargs="*", default=[], help="its .bib files")
    parser.add_argument(
        "--accepted", type=Path, nargs="*", default=[], help="the record and what is beside it"
    )
    parser.add_argument("--build", type=Path, help="folder of all results, to compare with these")
    parser.add_argument("--done", type=Path, help="where to write what was made")
    args = parser.parse_args()
    evidence = _results.gather(args)
    items = catalogue.tables({m: evidence.model(m) for m in evidence.contrasts})
    wanted = args.table or [
        name
        for name, item in items.items()
        if all(getattr(args, need) for need in item.needs if need not in _may_lack(item, evidence))
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    captions = {}
    for name in wanted:
        found = make.table(evidence, name)
        (args.out / f"_tbl-{name}.md").write_text(markdown(name, found), "utf-8")
        found.full.to_csv(args.out / f"{name}.csv", index=False)
        captions[name] = found.caption
    for name, found in since_the_record(evidence, args.accepted, args.build).items():
        (args.out / f"_tbl-{name}.md").write_text(markdown(name, found), "utf-8")
        found.full.to_csv(args.out / f"{name}.csv", index=False)
    for name, item in () if args.table else catalogue.PARTS.items():
        if all(getattr(args, need) for need in item.needs):
            (args.out / f"_part-{name}.md").write_text(make.part(evidence, name), "utf-8")
    for name, text in (
        {} if args.table else sections.sections(evidence, keys(args.bibliography)).items()
    ):
        (args.out / f"_part-{name}.md").write_text(text, "utf-8")
    if args.done:
        args.done.write_text(json.dumps(captions, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _may_lack(item: Item, evidence: Results) -> set[str]:
    """Results that a table is made without; those of modules only where there are no modules."""
    return {*catalogue.OPTIONAL, *(() if evidence.contrasts else item.without)}


def since_the_record(
    evidence: Results, accepted: list[Path], build: Path | None
) -> dict[str, Table]:
    """What changed since the record, and the history of the primary contrasts.

    Without a build there is none of it. The caption says of a record that it cannot be read, or
    that there is none yet.
    """
    if build is None:
        return {}
    paths = {path.stem: path for path in accepted}
    changes = _changes(evidence, build, paths.get("record"), paths.get("record_changes"))
    named = primary.named(evidence, "results") or primary.named(evidence)
    shown = primary.table(evidence)
    labels = dict(zip(named, shown.shown["Contrast"], strict=True))
    now = [
        {"record": "", "commit": "this build", "seed": "", "name": name}
        | {column: float(row[column]) for column in history.NUMBERS}
        | {"verdict": evidence.verdict(row)}
        for name, row in named.items()
    ]
    past = history.read(paths["record_history"]) if "record_history" in paths else []
    none = "" if past else "No accepted record has its primary contrasts in a history yet."
    found = {
        "changes": changes,
        "history": history.history_table(past, now, labels, none),
    }
    marks = tuple(study.provenance for study in (*evidence.studies, *evidence.published))
    return {name: replace(table, provenance=marks) for name, table in found.items()}


def _changes(evidence: Results, build: Path, record: Path | None, chain: Path | None) -> Table:
    """What moved, by the chain of `snakemake changes` where it is of this record and this build."""
    none = pd.DataFrame(columns=list(history.CHANGES))
    if record is None:
        return history.changes_table(none, 0.0, 0, "There is no accepted record to compare with.")
    try:
        old = load(record)
    except BadInput as bad:
        found = f"The record could not be read: {bad.problems[0].found}."
        return history.changes_table(none, 0.0, 0, found)
    now = collect.tables(build, evidence.cuts)
    plain, by_step = history.changes_table(*history.changes(old["tables"], now)), None
    try:
        by_step = steps.read(chain) if chain else None
    except BadInput as bad:
        said = f"{plain.caption} Its steps could not be read: {bad.problems[0].found}."
        return replace(plain, caption=said)
    if by_step and (by_step.record, by_step.build) == (old["checksum"], steps.numbers(now)):
        plain = history.steps_table(by_step)
    return replace(plain, caption=plain.caption + _left(evidence, old["raw"]))


def _left(evidence: Results, before: Collection[str]) -> str:
    """Studies of the record that are in no table any more: withdrawn, or taken out."""
    here = {study.id for study in (*evidence.studies, *evidence.published)}
    gone = [words(name) for name in sorted(set(before) - here)]
    return f" Studies of the record that are not in this build: {joined(gone)}." if gone else ""


if __name__ == "__main__":
    run(main)
