"""Where compiled code is kept, and that it never outlives what it was compiled from."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from research.kernels import cache_folder, files, fingerprint
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ROOM = ROOT / "research"
MARKS = {"kernel", "part"}
LONGEST = 60
TYPES = {"Bars"}  # in annotations, which are not compiled

CALLEE = "from research.kernels import kernel\n\n@kernel\ndef add_nb(x):\n    return x + {}\n"
CALLER = """from research.kernels import kernel
from research.callee import add_nb

@kernel
def twice_nb(x):
    return add_nb(add_nb(x))
"""


def asked(folder: Path) -> str:
    """Return what `twice_nb(0)` is in a fresh process."""
    return subprocess.run(
        [sys.executable, "-c", "from research.caller import twice_nb; print(twice_nb(0))"],
        cwd=folder,
        env={key: os.environ[key] for key in os.environ if key != "NUMBA_CACHE_DIR"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.strip()


def test_a_caller_is_compiled_anew_when_what_it_calls_has_changed(tmp_path: Path) -> None:
    room = tmp_path / "research"
    room.mkdir()
    shutil.copy(ROOM / "kernels.py", room)
    (room / "__init__.py").touch()
    (room / "caller.py").write_text(CALLER)
    (room / "callee.py").write_text(CALLEE.format(1))
    assert asked(tmp_path) == "2"
    folders = list((room / "__pycache__").glob("kernels-*"))
    assert len(folders) == 1
    kept = {path: path.stat().st_mtime_ns for path in folders[0].rglob("*.nbc")}
    assert len(kept) == 2
    assert asked(tmp_path) == "2"
    assert {path: path.stat().st_mtime_ns for path in folders[0].rglob("*.nbc")} == kept
    (room / "callee.py").write_text(CALLEE.format(500))
    assert asked(tmp_path) == "1000"


def test_the_folder_is_named_after_all_kernels_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("x = 1\n")
    (tmp_path / "engine").mkdir()
    callee = tmp_path / "engine" / "callee.py"
    callee.write_text(CALLEE.format(1))
    assert files(tmp_path) == [callee]
    before = fingerprint([callee])
    (tmp_path / "other.py").write_text("x = 2\n")
    assert cache_folder(tmp_path).name == f"kernels-{before}"
    callee.write_text(CALLEE.format(2))
    assert fingerprint([callee]) != before


def test_another_place_is_taken_where_one_is_named_or_beside_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "named"))
    assert cache_folder(tmp_path).parent == tmp_path / "named"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "__pycache__").write_text("not a folder")
    assert cache_folder(tmp_path).parent == tmp_path / "home" / ".cache" / "nightjar"
    (tmp_path / "home" / ".cache" / "nightjar").rmdir()
    (tmp_path / "home" / ".cache" / "nightjar").write_text("not a folder either")
    assert cache_folder(tmp_path).parent == tmp_path / "__pycache__"


def kernels() -> list[tuple[Path, ast.FunctionDef]]:
    """Return every function of the room that is a kernel."""
    return [
        (path, node)
        for path in sorted(ROOM.rglob("*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_nb")
    ]


@pytest.mark.parametrize(
    ("path", "node"), kernels(), ids=[f"{p.stem}.{n.name}" for p, n in kernels()]
)
def test_a_kernel_fits_a_screen_says_what_it_does_and_is_kept_with_the_others(
    path: Path, node: ast.FunctionDef
) -> None:
    assert {one.id for one in node.decorator_list if isinstance(one, ast.Name)} & MARKS
    assert path in files(ROOM)
    assert (node.end_lineno or 0) - node.body[0].lineno < LONGEST
    assert ast.get_docstring(node)
    own = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    assert node.name not in own  # numba crashes on loading one that calls itself
    assert not own & from_elsewhere(path) - TYPES


def from_elsewhere(path: Path) -> set[str]:
    """Return the names that a file takes from files of ours that are not in the hash."""
    return {
        alias.name
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.ImportFrom)
        and (statement.module or "").startswith(("research.", "core."))
        and ROOT / f"{(statement.module or '').replace('.', '/')}.py" not in files(ROOM)
        for alias in statement.names
    }


def test_numba_is_asked_for_in_one_place() -> None:
    users = [
        path.relative_to(ROOM).as_posix()
        for path in sorted(ROOM.rglob("*.py"))
        if any(
            line.startswith(("from numba", "import numba")) for line in path.read_text().split("\n")
        )
    ]
    assert users == ["kernels.py"]
