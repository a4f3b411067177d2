"""What every source file keeps to."""

import ast
import re

import pytest

EMPTY_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "managers"}
LONGEST = 500  # lines of a file
# where only one machine has something; written in pieces, so that this file does not mention them
MACHINE_PATHS = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "tmp/bash", "/" + "home/"]))


def _public_names(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            getattr(target, "id", "") == "__all__" for target in node.targets
        ):
            return ast.literal_eval(node.value)
    return None


def _definitions(tree: ast.Module) -> dict[str, ast.AST]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def test_every_module_says_what_it_is(modules):
    assert [module.name for module in modules if not ast.get_docstring(module.tree)] == []


def test_every_module_lists_its_public_names(modules):
    """A package without names of its own, only a sentence, and the program's entry need none."""
    silent = [
        module.name
        for module in modules
        if _public_names(module.tree) is None
        and len(module.tree.body) > 1
        and module.path.name != "__main__.py"
    ]
    assert silent == []


def test_public_names_exist(modules):
    missing = []
    for module in modules:
        bound = {
            node.id
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        bound |= _definitions(module.tree).keys()
        bound |= {
            (alias.asname or alias.name).split(".")[0]
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        loaded_on_demand = "__getattr__" in bound
        missing += [
            f"{module.name}.{name}"
            for name in _public_names(module.tree) or []
            if name not in bound and not loaded_on_demand
        ]
    assert missing == []


def test_every_public_function_and_class_has_a_docstring(modules):
    """Of classes the public methods too, save where the docstring stands elsewhere: `forward` is described by
    its class, a step of torch's own classes by torch, the methods of a kernel's twins by its `__init__`."""
    bare = []
    for module in modules:
        public = _public_names(module.tree) or []
        twin = module.path.name in ("numba.py", "reference.py")
        for name, node in _definitions(module.tree).items():
            if name in public and not ast.get_docstring(node):
                bare.append(f"{module.name}.{name}")
            if name not in public or twin or not isinstance(node, ast.ClassDef) or _of_torch(node):
                continue
            bare += [
                f"{module.name}.{name}.{part.name}"
                for part in node.body
                if isinstance(part, ast.FunctionDef)
                and not part.name.startswith("_")
                and part.name != "forward"
                and not ast.get_docstring(part)
            ]
    assert bare == []


def _of_torch(node: ast.ClassDef) -> bool:
    return any(getattr(base, "attr", "") in ("Function", "Optimizer") for base in node.bases)


def test_names_of_files_say_what_is_in_them(project_files):
    empty = [path for path in project_files if {path.stem.lower(), path.parent.name.lower()} & EMPTY_NAMES]
    assert empty == []


@pytest.mark.parametrize("ending", [".py", ".js", ".css"])
def test_no_source_file_is_longer_than_a_reader_likes(project_files, ending):
    long = {
        path.name: lines
        for path in project_files
        if path.suffix == ending and (lines := path.read_text(encoding="utf-8").count("\n")) >= LONGEST
    }
    assert long == {}


def test_no_file_mentions_the_paths_of_one_machine(project_files):
    found = []
    for path in project_files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not a text
        found += [f"{path.name}: {match[0]}" for match in MACHINE_PATHS.finditer(text)]
    assert found == []
