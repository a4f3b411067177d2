"""The rooms of the house and which way imports point."""

import ast
import re
from pathlib import Path

import pytest

from isofield.methods import METHODS

GUIDE = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"
# from the top: a room may import the rooms after it
ROOMS = [
    "cli",
    "verbs",
    "methods",
    "training",
    "viewing",
    "data",
    "extraction",
    "rendering",
    "metrics",
    "networks",
    "solvers",
    "geometry",
    "kernels",
    "runtime",
]
PURE = ROOMS[
    ROOMS.index("extraction") : ROOMS.index("runtime")
]  # know nothing of files, commands, runs, methods


def _target_room(name: str) -> str | None:
    """The room that an imported dotted name lies in; None for other packages and the package's own names."""
    parts = name.split(".")
    return parts[1] if parts[0] == "isofield" and len(parts) > 1 and parts[1] in ROOMS else None


def test_every_room_has_its_place_in_the_order(modules):
    assert {module.room for module in modules} - {""} <= set(ROOMS)


def test_the_guide_names_every_room_in_the_order():
    line = next(line for line in GUIDE.read_text(encoding="utf-8").splitlines() if "` → `" in line)
    assert re.findall(r"`(\w+)`", line) == ROOMS


def test_imports_point_down_only(modules):
    upward = [
        f"{module.name} imports {name}"
        for module in modules
        if module.room
        for name in module.imports()
        if (room := _target_room(name)) and ROOMS.index(room) < ROOMS.index(module.room)
    ]
    assert upward == []


def test_imports_within_the_package_are_relative(modules):
    absolute = [
        f"{module.name}:{node.lineno}"
        for module in modules
        for node in ast.walk(module.tree)
        if (
            isinstance(node, ast.ImportFrom)
            and node.level == 0
            and (node.module or "").split(".")[0] == "isofield"
        )
        or (
            isinstance(node, ast.Import)
            and any(alias.name.split(".")[0] == "isofield" for alias in node.names)
        )
    ]
    assert absolute == []


def test_from_extraction_down_nothing_knows_of_files_and_flags(modules):
    foreign = {"argparse", "io", "json", "pathlib", "shutil", "tyro", "safetensors", "rich"}
    found = [
        f"{module.name} imports {name}"
        for module in modules
        if module.room in PURE
        for name in module.imports()
        if name.split(".")[0] in foreign
    ]
    assert found == []


def test_from_extraction_down_nothing_opens_a_file(modules):
    found = [
        f"{module.name}:{node.lineno}"
        for module in modules
        if module.room in PURE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open"
    ]
    assert found == []


@pytest.mark.parametrize("method", METHODS)
def test_a_method_knows_no_other_method(modules, method):
    files = {f"isofield.methods.{entry.module}" for entry in METHODS.values()}
    own = f"isofield.methods.{METHODS[method].module}"
    module = next(module for module in modules if module.name == own)
    others = [
        name for name in module.imports() for file in files - {own} if f"{name}.".startswith(f"{file}.")
    ]
    assert others == []


def test_every_kernel_has_a_readable_definition_and_a_compiled_twin(modules):
    kernels = {
        module.path.parent for module in modules if module.name.count(".") == 3 and module.room == "kernels"
    }
    kernels = {folder for folder in kernels if folder.parent.name == "kernels"}
    assert kernels
    assert [
        folder for folder in kernels if not {"reference.py", "numba.py"} <= {f.name for f in folder.iterdir()}
    ] == []
