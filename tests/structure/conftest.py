"""The project's own files as parsed source."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One module of the package: its dotted name and its file."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def room(self) -> str:
        """The folder right below `isofield`, or "" for the package's own two files."""
        parts = self.path.relative_to(ROOT / "isofield").parts
        return parts[0] if len(parts) > 1 else ""

    def imports(self) -> set[str]:
        """Dotted names of everything that is imported anywhere in the module, also inside functions."""
        package = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                start = package[: len(package) - node.level + 1] if node.level else []
                source = ".".join([*start, *([node.module] if node.module else [])])
                found |= {f"{source}.{alias.name}" for alias in node.names}
        return found


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of the package."""
    found = []
    for path in sorted((ROOT / "isofield").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


@pytest.fixture(scope="session")
def project_files() -> list[Path]:
    """Every file of the project: those that git keeps or would keep; without git, those in its folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        folders = ("isofield", "tests", "benchmarks", "docs", ".ci")
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
        paths += list(ROOT.iterdir())
    return sorted({path for path in paths if path.is_file() and "__pycache__" not in path.parts})
