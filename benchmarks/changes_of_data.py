"""Changes to the data of a copied build, each as somebody would make it: for `update.py`.

Every one leaves the manifest of simulated files as the generator would write it.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

CODED = "project.qde"  # in a REFI-QDA project: which text has which code
SELECTION = re.compile(r"\s*<PlainTextSelection\b.*?</PlainTextSelection>", re.DOTALL)


def listed(project: Path, study: str, path: Path) -> None:
    """Enter a file as it is now in the manifest of simulated ones."""
    manifest = project / "data" / "raw" / "manifest.yaml"
    entry = f"{study}:\n  {path.name}: "
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    text = manifest.read_text("utf-8")
    if entry not in text:
        text += f"{entry}\n"
    text = re.sub(re.escape(entry) + r"[0-9a-f]*", entry + digest, text)
    manifest.write_text(text, "utf-8")


def answer(project: Path, study: str, column: str) -> str:
    """Give the last of those who answered most another answer that others gave; say which.

    Who broke off may be in no model, and then the change would need no fit.
    """
    (path,) = (project / "data" / "raw" / study).glob("*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    at = rows[0].index(column)
    row = max((sum(map(bool, cells)), i) for i, cells in enumerate(rows) if cells[at])[1]
    old = rows[row][at]
    rows[row][at] = next(
        w for w, _ in Counter(cells[at] for cells in rows).most_common() if w != old
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    listed(project, study, path)
    return f"{path.name}, row {row + 1}, {column}: {old} is {rows[row][at]}"


def interview(project: Path, study: str) -> str:
    """Take the first code of the first interview from all of its places; say which."""
    (path,) = (project / "data" / "raw" / study).glob("*.qdpx")
    with zipfile.ZipFile(path) as file:
        entries = [(entry, file.read(entry)) for entry in file.infolist()]
    coded = next(content for entry, content in entries if entry.filename == CODED).decode("utf-8")
    end = coded.index("</TextSource>")
    code = re.search(r'<CodeRef targetGUID="([^"]+)"', coded[:end])
    assert code, "an interview without a code"
    first = SELECTION.sub(lambda one: "" if code[1] in one[0] else one[0], coded[:end])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for entry, content in entries:
            file.writestr(
                entry, (first + coded[end:]).encode() if entry.filename == CODED else content
            )
    listed(project, study, path)
    return f"{path.name}: the first interview has no code {code[1]} any more"


def label(project: Path, study: str) -> str:
    """Give a study another label, which moves no number; say which."""
    path = project / "data" / "raw" / study / "codebook.yaml"
    text = path.read_text("utf-8")
    new = re.sub(r"^( +label: )(.+)$", r"\1\2 (renamed)", text, count=1, flags=re.MULTILINE)
    assert new != text, f"no label in {path}"
    path.write_text(new, "utf-8")
    return f"{study} has another label"


def added(project: Path, study: str) -> str:
    """Add a study, which is another one once more; say which."""
    raw, name = project / "data" / "raw", f"{study}_again"
    shutil.copytree(raw / study, raw / name)
    book = raw / name / "codebook.yaml"
    text = book.read_text("utf-8")
    new = re.sub(rf"^( +id: ){study}$", rf"\1{name}", text, count=1, flags=re.MULTILINE)
    assert new != text, f"no id in {book}"
    book.write_text(new, "utf-8")
    for path in raw.joinpath(name).iterdir():
        if path.name not in (book.name, "README.md"):
            listed(project, name, path)
    return f"{name} is a study more"
