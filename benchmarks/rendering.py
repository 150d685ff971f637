"""What rendering costs beside bare pandoc on the same text: both documents in all formats.

    PYTHONPATH=workflow python benchmarks/rendering.py [--source results/manuscript/source]

Of a finished build. *Bare* is one call of pandoc for each document and format, with citations, and
for the PDF Typst after it: no checks, no numbering, no page of our own. *Ours* is what the rule
``render`` does, its checks and the ledger included. Both in turn, in one run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import typst

from metastudy.manuscript.pandoc import pandoc_path
from metastudy.manuscript.render import render
from metastudy.manuscript.source import Source, read_sources

ROOT = Path(__file__).parents[1]
FORMATS = ["html", "typst", "docx"]
BARE = {
    "html": ["--to=html", "--standalone", "--embed-resources", "--mathml", "--output=bare.html"],
    "typst": ["--to=typst", "--standalone", "--output=bare.typ"],
    "docx": ["--to=docx", "--output=bare.docx"],
}


def bare(source: Source, folder: Path) -> float:
    """Seconds of pandoc and Typst by themselves."""
    began = time.perf_counter()
    for to in FORMATS:
        image = "png" if to == "docx" else "svg"
        words = ["--from=markdown", "--citeproc", f"--bibliography={source.config['bibliography']}"]
        words += [*BARE[to], f"--default-image-extension={image}"]
        subprocess.run(
            [pandoc_path(), *words, "--quiet"], input=source.text.encode(), cwd=folder, check=True
        )
        if to == "typst":
            typst.compile(folder / "bare.typ", output=folder / "bare.pdf", root=folder)
    return time.perf_counter() - began


def ours(folder: Path, ledger: Path | None, out: Path) -> float:
    """Seconds of the rule, in a process that has imported what it needs."""
    began = time.perf_counter()
    render(folder, out, FORMATS, asked="pandoc", ledger=ledger)
    return time.perf_counter() - began


def main() -> None:
    """Print seconds and their ratio as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, default=ROOT / "results/manuscript/source")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    given = args.source.parents[1] / "variables" / "sources.json"
    found: dict[str, list[float]] = {"bare": [], "ours": []}
    with tempfile.TemporaryDirectory() as scratch:
        for at in range(args.repeats):
            folder = shutil.copytree(args.source, Path(scratch, f"source{at}"))
            sources = read_sources(folder, {})
            found["bare"].append(sum(bare(source, folder) for source in sources))
            ledger = given if given.is_file() else None
            found["ours"].append(ours(folder, ledger, Path(scratch, f"out{at}")))
    best = {name: min(seconds) for name, seconds in found.items()}
    print(json.dumps(found | {"ratio": best["ours"] / best["bare"]}, indent=1))


if __name__ == "__main__":
    main()
