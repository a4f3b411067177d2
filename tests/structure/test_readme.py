"""The commands that README.md shows are commands that run."""

import itertools
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from isofield.cli import main
from isofield.cli.fit import DESCRIPTION
from isofield.data import IMAGE_ENDINGS, READERS, load, write_image, write_mesh
from isofield.data.writers import WRITERS
from isofield.geometry.mesh import Mesh
from isofield.geometry.surface_samples import sample_surface
from isofield.runtime import threads

ROOT = Path(__file__).resolve().parents[2]
SPOT = ROOT / "isofield" / "data" / "spot.ply"
CHEAP = {
    "--resolution": 48,
    "--width": 40,
    "--faces": 2000,
    "--seconds": 2,
    "--steps": 60,
}  # at most so much of each in the quick run
SMALL = {"points": 4096, "network": {"levels": 3, "coarsest": 8, "finest": 32, "log2_table": 15}}
SCENE = "lego"  # the folder of a scene
LONG = ("demo", "compare")  # fit at full size whatever the flags say


def _commands(text: str) -> list[list[str]]:
    """The words of every line that starts with `isofield` or `make` in the blocks of shell commands."""
    blocks = re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [
        shlex.split(line.removeprefix("$ "), comments=True)
        for line in lines
        if re.match(r"(\$ )?(isofield|make)\b", line)
    ]


COMMANDS = _commands((ROOT / "README.md").read_text(encoding="utf-8"))


def _cheap(command: list[str]) -> list[str]:
    """The same command with less work in it."""
    words = list(command)
    for flag, most in CHEAP.items():
        if flag in words:
            place = words.index(flag) + 1
            words[place] = str(min(int(words[place]), most))
    if words[1] in ("fit", "train") and not {"--seconds", "--steps"} & set(words):
        words += ["--steps", "60"]
    if any(Path(word).suffix.lower() in IMAGE_ENDINGS for word in words):
        return words
    if words[1] in ("fit", "extract") and "--resolution" not in words:
        words += ["--resolution", "48"]
    if SCENE in words:
        return words
    if words[1] == "fit" and "--config" not in words:
        Path("small.json").write_text(json.dumps(SMALL))
        words += ["--config", "small.json"]
    return words


def _provide_inputs(command: list[str], write_scene: Callable[..., Path]) -> None:
    """Put spot, a small picture or a small scene in the working folder under every name that the command
    reads and that is not there."""
    if SCENE in command and not Path(SCENE).exists():
        write_scene(Path(SCENE), (80, 80))
    for before, word in itertools.pairwise(command):
        path = Path(word.replace("*", "first"))
        if path.suffix.lower() in IMAGE_ENDINGS and before != "--out" and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
        if path.suffix.lower() in READERS and before != "--out" and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_spot(path)


def _write_spot(path: Path) -> None:
    spot = Mesh(load(SPOT).vertices, load(SPOT).faces)
    if path.suffix.lower() in WRITERS:
        write_mesh(path, spot)
        return
    points, face = sample_surface(spot, 20_000, np.random.default_rng(0))
    a, b, c = np.moveaxis(spot.vertices[spot.faces[face]], 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    if path.suffix.lower() == ".npz":
        np.savez(path, points=points, normals=normals)
    else:
        np.savetxt(path, np.hstack([points, normals]))


def _run_all(commands: list[list[str]], capsys, write_scene: Callable[..., Path]) -> None:
    failures = []
    for command in commands:
        _provide_inputs(command, write_scene)
        words = [
            name
            for word in command
            for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
        ]
        code = main(words[1:])
        out, err = capsys.readouterr()
        if code != 0:
            failures.append(f"{shlex.join(command)}: exit code {code}\n{out}{err}")
    assert failures == []


@pytest.fixture
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = threads.threads()
    yield
    threads.set_threads(before)


def test_the_readme_shows_the_main_command():
    assert any(command[:2] == ["isofield", "fit"] for command in COMMANDS)


@pytest.mark.usefixtures("_elsewhere")
def test_every_command_of_the_readme_runs_in_order_on_little_work(capsys, ball_scene):
    _run_all(
        [_cheap(c) for c in COMMANDS if c[0] == "isofield" and c[1] not in LONG],
        capsys,
        ball_scene.write_scene,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("_elsewhere")
def test_every_command_of_the_readme_runs_in_order_as_it_is_printed(capsys, ball_scene):
    _run_all([c for c in COMMANDS if c[0] == "isofield"], capsys, ball_scene.write_scene)


def _endings(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w/])\.[a-z]{3,6}\b", text)) - {".conf"}


def test_the_formats_that_are_told_are_those_that_are_read():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.search(r"Files: .*?\)\.", readme, re.DOTALL)
    help_of_fit = re.search(r"Takes meshes.*?The method", DESCRIPTION, re.DOTALL)
    assert _endings(told[0]) == _endings(help_of_fit[0]) == {*READERS, *IMAGE_ENDINGS}


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = {word for c in COMMANDS if c[0] == "make" for word in c[1:] if "=" not in word}
    assert asked <= targets
