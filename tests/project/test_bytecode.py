"""Bytecode that a full disk cut off costs one compilation, and no call fails at it."""

from __future__ import annotations

import ast
import marshal
import py_compile
import subprocess
import sys
from pathlib import Path

from helpers.repository import ROOT


def test_bytecode_that_was_cut_off_is_removed_and_no_other(tmp_path: Path, capsys) -> None:
    common = ast.parse((ROOT / "workflow" / "rules" / "common.smk").read_text("utf-8"))
    (function,) = (one for one in common.body if getattr(one, "name", "") == "sound_bytecode")
    found: dict = {"marshal": marshal, "sys": sys}
    exec(compile(ast.Module([function], []), "common.smk", "exec"), found)

    package = tmp_path / "package"
    package.mkdir()
    paths = []
    for name in ("__init__", "whole", "cut", "empty"):
        (package / f"{name}.py").write_text("VALUES = list(range(10))\n" * 20)
        paths.append(Path(py_compile.compile(str(package / f"{name}.py"))))
    cut = paths[2].read_bytes()
    paths[2].write_bytes(cut[: len(cut) // 2])
    paths[3].write_bytes(b"")

    def imported() -> str:
        code = "import package.whole, package.cut, package.empty"
        command = [sys.executable, "-B", "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stderr

    assert "EOFError" in imported()
    found["sound_bytecode"](package)
    assert [path.exists() for path in paths] == [True, True, False, False]
    assert capsys.readouterr().err.count("was cut off") == 2
    assert imported() == ""
