"""Digests for the params of rules: they change when the code or data behind a result changes.

Snakemake does not see what a module imports, and takes a touched script for a changed one. So each
rule carries the digest of its module's import closure as a param: comments, docstrings and
formatting do not count, a helper three imports away does.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from metastudy.common.problems import MetastudyError

__all__ = ["closure", "code_digest", "file_digest"]

RESOURCES = "__resources__"
REMEMBERED = 1000  # files; beyond that the memory begins again
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(module: str, root: str | Path) -> str:
    """Digest of the code that a module runs within its own package, and of its declared files.

    Counted are the module, the modules of the same top-level package that it imports, directly or
    not (also inside functions), and the ``__init__`` of every package on the way. Each enters as
    its syntax tree without docstrings, so comments and formatting do not count. Other packages do
    not enter: the lock does that for them.

    A module that reads files which are not Python (a schema, a filter, a style sheet) declares
    them in a constant, ``__resources__ = ("../schemas/*.yaml", "filter.lua")``: paths or globs
    relative to the module's own folder, whose bytes then count wherever the module does.

    Two things do not enter and must not matter: a module imported by a name made at run time, and
    ``__doc__``. The digest holds within one minor version of Python, for the syntax tree does.

    Parameters
    ----------
    module : dotted name, such as ``"package.module"``; as for ``python -m``, a package stands for
        its ``__main__`` too.
    root : the folder that holds the top-level package.

    Returns
    -------
    64 hexadecimal digits.

    Raises
    ------
    MetastudyError
        If a module of the package cannot be found or parsed, or a declared file matches nothing.
    """
    root = Path(root)
    memory = _Memory(root / module.partition(".")[0])
    digest = hashlib.sha256()
    resources: dict[str, str] = {}
    for name, path in closure(module, root).items():
        parsed = _read(path, memory)
        digest.update(f"module {name} {parsed.code}\n".encode())
        for pattern in parsed.resources:
            for found in _matches(pattern, path):
                # relative to the root, so that the digest is the same wherever the project is
                resources[Path(os.path.relpath(found, root)).as_posix()] = file_digest(found)
    for name, content in sorted(resources.items()):
        digest.update(f"resource {name} {content}\n".encode())
    memory.save()
    return digest.hexdigest()


def closure(module: str, root: str | Path) -> dict[str, Path]:
    """The modules whose code runs when a module is run: names and files, in order of the names.

    Parameters and errors are those of :func:`code_digest`.
    """
    root = Path(root)
    memory = _Memory(root / module.partition(".")[0])
    found: dict[str, Path] = {}
    waiting = [(name, "the rule") for name in (*_packages_of(module), module)]
    if _locate(f"{module}.__main__", root):
        waiting.append((f"{module}.__main__", "the rule"))
    while waiting:
        name, wanted_by = waiting.pop()
        if name in found:
            continue
        path = _locate(name, root)
        if path is None:
            raise MetastudyError(f"{wanted_by} imports {name}, which is no module under {root}")
        found[name] = path
        for needed, attribute in _imports(_read(path, memory), name, path.name == "__init__.py"):
            waiting += [(each, str(path)) for each in (*_packages_of(needed), needed)]
            # `from package import name`: a module where there is one, else something inside it
            if attribute and _locate(f"{needed}.{attribute}", root):
                waiting.append((f"{needed}.{attribute}", str(path)))
    memory.save()
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class _Parsed:
    """What counts of one file: its code's digest, its imports, the files that it declares."""

    code: str
    imports: tuple[tuple[int, str, str | None], ...]  # level, module, attribute
    resources: tuple[str, ...]


class _Memory:
    """What was read of files by their content, beside the bytecode: parsing is the cost of a run.

    Another version of Python has another file, for its syntax trees differ. A memory that cannot
    be read or written is done without.
    """

    def __init__(self, package: Path):
        version = f"{sys.version_info.major}{sys.version_info.minor}"
        self.path = package / "__pycache__" / f"digests-{version}.json"
        self.known, self.new = _remembered(self.path), False

    def parse(self, source: bytes) -> _Parsed:
        """Parse a source, or remember what came of it."""
        key = hashlib.sha256(source).hexdigest()
        if key not in self.known:
            self.known[key], self.new = _parse(source), True
        return self.known[key]

    def save(self) -> None:
        """Write down what is new."""
        if not self.new:
            return
        self.new = False
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, delete=False, encoding="utf-8"
            ) as file:
                json.dump({key: astuple(value) for key, value in self.known.items()}, file)
            Path(file.name).replace(self.path)


@cache  # one memory for all calls of a process
def _remembered(path: Path) -> dict[str, _Parsed]:
    try:
        found = json.loads(path.read_text("utf-8"))
        known = {
            key: _Parsed(code, tuple((n, m, a) for n, m, a in imports), tuple(resources))
            for key, (code, imports, resources) in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return known if len(known) <= REMEMBERED else {}


_READ: dict[tuple[Path, int, int], _Parsed] = {}  # of this process: a file is in many closures


def _read(path: Path, memory: _Memory) -> _Parsed:
    found = path.stat()
    key = (path, found.st_mtime_ns, found.st_size)
    if key not in _READ:
        try:
            _READ[key] = memory.parse(path.read_bytes())
        except (SyntaxError, ValueError) as error:
            raise MetastudyError(f"{path} cannot be read as Python: {error}") from error
    return _READ[key]


def _parse(source: bytes) -> _Parsed:
    tree = ast.parse(source)
    imports: list[tuple[int, str, str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(node.level, node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    code = hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()
    return _Parsed(code, tuple(imports), _declared(tree))


def _declared(tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == RESOURCES for target in targets):
            try:
                value = ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except (ValueError, TypeError) as error:
                raise ValueError(f"{RESOURCES} must be a literal tuple of strings") from error
            if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
                raise ValueError(f"{RESOURCES} must be a literal tuple of strings")
            return tuple(value)
    return ()


def _imports(parsed: _Parsed, name: str, is_package: bool) -> Iterator[tuple[str, str | None]]:
    """The imports from the module's own top-level package, as absolute names."""
    top = name.partition(".")[0]
    for level, module, attribute in parsed.imports:
        if level:
            parts = name.split(".")
            package = parts[: len(parts) - level + is_package]
            module = ".".join([*package, module] if module else package)
        if module.partition(".")[0] == top:
            yield module, attribute


def _packages_of(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _locate(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_name(base.name + ".py")):
        if path.is_file():
            return path
    return None


def _matches(pattern: str, module: Path) -> list[Path]:
    # glob does not follow "..", so it starts from the last folder that is spelled out
    parts = Path(pattern).parts
    plain = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts) - 1)
    folder = module.parent.joinpath(*parts[:plain])
    found = sorted(path for path in folder.glob(str(Path(*parts[plain:]))) if path.is_file())
    if not found:
        raise MetastudyError(f"{module} declares {pattern!r} in {RESOURCES}, which matches no file")
    return found
