"""Representations at equal bytes."""

import json

import numpy as np
import pytest

from isofield.data.shape import Shape
from isofield.geometry.closed_forms import torus_mesh
from isofield.metrics.shape import compare_meshes
from isofield.runtime.errors import InputError
from isofield.verbs import compare as verb
from isofield.verbs.compare import compare
from isofield.verbs.within_bytes import REPRESENTATIONS, Task


@pytest.fixture(scope="module")
def torus() -> Shape:
    mesh = torus_mesh(3.0, 1.0, 128, 64, (100.0, 0.0, 0.0))
    return Shape("torus", "mesh", mesh.vertices, mesh.faces)


@pytest.mark.parametrize("name", ["voxels", "points", "mesh"])
@pytest.mark.parametrize("size", [4096, 16384])
def test_each_fills_its_bytes_and_comes_nearer_with_more(torus, tmp_path, name, size):
    made = REPRESENTATIONS[name].make(Task(torus, torus.solid, size, 0, tmp_path))
    assert 0.85 * size < made.payload <= size
    distance = compare_meshes(made.surface, torus.solid.mesh)["distance_mean"]
    assert distance < {4096: 0.01, 16384: 0.004}[size]


def test_a_mesh_that_fits_is_taken_as_it_is(torus, tmp_path):
    made = REPRESENTATIONS["mesh"].make(Task(torus, torus.solid, 1 << 20, 0, tmp_path))
    assert made.payload == 6 * (128 * 64 + 2 * 128 * 64)
    assert np.abs(made.surface.vertices - torus.solid.mesh.vertices).max() < 5e-4


def test_the_folder_holds_tables_a_figure_and_a_page(torus, tmp_path, monkeypatch):
    plain = {name: REPRESENTATIONS[name] for name in ("voxels", "points", "mesh")}
    monkeypatch.setattr(verb, "REPRESENTATIONS", plain)
    result = compare(torus, [8192, 4096], tmp_path / "out")
    assert [row["bytes_allowed"] for row in result["rows"]] == [4096] * 3 + [8192] * 3
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == json.loads(json.dumps(result))
    text = (tmp_path / "out" / "comparison.md").read_text()
    assert "## 4 KiB" in text
    assert "| voxels |" in text
    page = (tmp_path / "out" / "page.html").read_text()
    assert "Rate against distortion" in page
    assert page.count("<img") == 2 * 7
    assert (tmp_path / "out" / "figure.png").read_bytes().startswith(b"\x89PNG")
    compare(torus, [4096], tmp_path / "out")  # gone on with
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        compare(torus, [4096], tmp_path / "other")


def test_sizes_out_of_range_and_points_are_refused(torus, tmp_path):
    with pytest.raises(InputError, match="--bytes"):
        compare(torus, [10], tmp_path / "out")
    with pytest.raises(InputError, match="not a mesh"):
        compare(Shape("p", "points", torus.vertices), [4096], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_networks_are_nearest_at_four_thousand_bytes(torus, tmp_path):
    result = compare(torus, [4096], tmp_path / "out")
    distance = {row["representation"]: row["figures"]["distance_mean"] for row in result["rows"]}
    assert all(row["bytes"] <= 4096 for row in result["rows"])
    assert distance["sdf"] == min(distance.values())
