"""Shapes in type annotations are checked while testing; real inputs are read from ../shared where it is
present."""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

# an int serves where a float is asked for (PEP 484)
install_import_hook("isofield", "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")


class _CompiledModules:
    """Loads the modules of compiled functions as they are: a checking wrapper inside them would not
    compile."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, path, target) if name.endswith(".numba") and path else None


sys.meta_path.insert(0, _CompiledModules)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs and parity packs; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("../shared (real inputs, parity packs) is not there")
    return SHARED


@pytest.fixture(scope="session")
def ball_scene():
    """The module tests/ball_scene.py: a scene known in closed form, `write_scene` and its VIEWS."""
    spec = importlib.util.spec_from_file_location("ball_scene", Path(__file__).with_name("ball_scene.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
