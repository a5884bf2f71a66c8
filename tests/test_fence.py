"""The import rules of the house: which room may import which, and where a library lives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BELOW_TASKS = {"sources", "expectations", "storage", "research", "trading", "serving"}
ALLOWED = {
    "core": set(),
    **{room: {"core"} for room in BELOW_TASKS},
    "tasks": BELOW_TASKS | {"core"},
    "flows": BELOW_TASKS | {"core", "tasks"},
    "commands": BELOW_TASKS | {"core", "flows"},
    "nightjar": BELOW_TASKS | {"core", "flows", "commands"},
}
ALLOWED["trading"] |= {"research"}
ALLOWED["serving"] |= {"storage"}
HOMES = {
    "prefect": {"flows", "tasks"},
    "httpx": {"sources"},
    "ccxt": {"sources"},
    "websockets": {"sources"},
    "starlette": {"sources", "serving"},
    "uvicorn": {"sources", "serving"},
    "great_expectations": {"expectations"},
    "pandas": {"expectations"},
    "duckdb": {"storage"},
    "deltalake": {"storage"},
    "numba": {"research"},
    "talib": {"research"},
    "vaderSentiment": {"research"},
    "transformers": {"research"},
    "dask": {"tasks"},
    "distributed": {"tasks"},
    "altair": {"serving"},
    "jinja2": {"serving"},
    "cyclopts": {"nightjar", "commands"},
    "rich": {"commands", "serving"},
}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py")


def product_files() -> list[Path]:
    files = [ROOT / "nightjar.py"]
    for room in ALLOWED:
        files += sorted((ROOT / room).rglob("*.py"))
    return [path for path in files if path.is_file()]


def imports(source: str) -> set[str]:
    """Return the top-level names that a module imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their room in full"
            names.add((node.module or "").split(".")[0])
    return names


def breaches(room: str, imported: set[str]) -> set[str]:
    """Return what `room` imports and may not."""
    rooms = (imported & set(ALLOWED)) - ALLOWED[room] - {room}
    libraries = {name for name in imported if room not in HOMES.get(name, {room})}
    return rooms | libraries


@pytest.mark.parametrize("path", product_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    assert breaches(room_of(path), imports(path.read_text())) == set()


@pytest.mark.parametrize(
    ("room", "source", "expected"),
    [
        ("core", "import storage.hot", {"storage"}),
        ("research", "from storage.lake import sql", {"storage"}),
        ("sources", "def f():\n    import duckdb", {"duckdb"}),
        ("flows", "import nightjar", {"nightjar"}),
        ("serving", "from storage import lake", set()),
        ("tasks", "from prefect import task\nfrom storage import hot", set()),
    ],
)
def test_the_fence_finds_what_it_should(room: str, source: str, expected: set[str]) -> None:
    assert breaches(room, imports(source)) == expected


def test_no_flow_is_named_like_a_room() -> None:
    # Prefect puts flows/ first on sys.path, where flows/storage.py would hide storage/.
    names = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    assert not names & (set(ALLOWED) | set(HOMES))


def test_every_flow_has_its_steps_and_tests() -> None:
    flows = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    for name in flows:
        assert (ROOT / "tasks" / f"{name}.py").is_file()
        assert (ROOT / "tests" / "flows" / f"test_{name}.py").is_file()


def test_the_clock_is_read_in_one_place() -> None:
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in product_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert readers == ["core/clock.py"]
