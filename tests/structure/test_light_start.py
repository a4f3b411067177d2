"""Asking for help must not cost the loading of what only work needs."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "numba", "scipy", "tyro", "trimesh", "rich", "jaxtyping", "safetensors"}


def _loaded_after(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after `code`."""
    tail = (
        "\nimport sys, json; print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    answer = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import isofield",
        "from isofield.cli import main; assert main(['--help']) == 0",
        "from isofield.cli import main; assert main(['--version']) == 0",
        "from isofield.cli import main; assert main(['fitt']) == 2",
    ],
    ids=["import", "help", "version", "unknown command"],
)
def test_nothing_heavy_is_loaded(code):
    assert _loaded_after(code) & HEAVY == set()


def test_the_module_is_the_command(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "isofield", "--help"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "isofield fit my.ply" in answer.stdout
