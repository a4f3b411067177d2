"""Range scans placed by a `.conf`."""

import numpy as np
import pytest

from isofield.data import load, write_points
from isofield.runtime.errors import InputError

UNIT = "0 0 0 0 0 0 1"


def scan(path, count: int = 50, size: float = 1.0, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(0, size, (count, 3)).astype(np.float32)
    write_points(path, points)
    return points


def test_poses_are_applied_with_the_conjugate_of_the_quaternion(tmp_path):
    points = scan(tmp_path / "a.ply")
    half = np.sqrt(0.5)  # a quarter turn around z; conjugated it takes x to -y
    (tmp_path / "all.conf").write_text(f"camera 0 0 0 0 0 0 1\nbmesh a.ply 1 2 3 0 0 {half} {half}\n")
    shape = load(tmp_path)
    x, y, z = points.T
    assert shape.vertices == pytest.approx(np.stack([y + 1, -x + 2, z + 3], axis=1), abs=1e-6)
    assert shape.towards_sensor == pytest.approx(np.tile([0, 0, 1], (50, 1)), abs=1e-12)
    assert shape.name == "all"


def test_several_scans_become_one_cloud(tmp_path):
    scan(tmp_path / "a.ply"), scan(tmp_path / "b.ply", seed=1)
    (tmp_path / "all.conf").write_text(f"bmesh a.ply {UNIT}\nbmesh b.ply {UNIT}\n")
    shape = load(tmp_path / "all.conf")
    assert len(shape.vertices) == 100
    assert "2 scans" in shape.notes[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bmesh missing.ply " + UNIT, "missing.ply"),
        ("bmesh a.ply 0 0 0 1", "line 1"),
        ("bmesh a.ply 0 0 0 0 0 0 x", "line 1"),
        ("bmesh a.ply 0 0 0 0 0 0 0", "quaternion"),
        ("camera 0 0 0 0 0 0 1", "no scan"),
    ],
)
def test_a_conf_that_cannot_be_used_says_where(tmp_path, line, words):
    scan(tmp_path / "a.ply")
    (tmp_path / "all.conf").write_text(line + "\n")
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    assert words in str(caught.value)


def test_a_scan_in_other_units_is_refused(tmp_path):
    scan(tmp_path / "a.ply"), scan(tmp_path / "b.ply"), scan(tmp_path / "c.ply", size=1000.0)
    (tmp_path / "all.conf").write_text("".join(f"bmesh {name}.ply {UNIT}\n" for name in "abc"))
    with pytest.raises(InputError, match="scan 3 is 1e\\+03 times"):
        load(tmp_path)


def test_a_scan_with_nan_is_refused_by_its_name(tmp_path):
    scan(tmp_path / "a.ply")
    points = scan(tmp_path / "b.ply", seed=1)
    points[3, 1] = np.nan
    write_points(tmp_path / "b.ply", points)
    (tmp_path / "all.conf").write_text(f"bmesh a.ply {UNIT}\nbmesh b.ply {UNIT}\n")
    with pytest.raises(InputError, match="1 of 50 vertices are not finite") as caught:
        load(tmp_path)
    assert "b.ply" in caught.value.where


def test_the_missing_returns_of_a_pcd_among_scans_are_left_out_and_said(tmp_path):
    scan(tmp_path / "a.ply")
    points = scan(tmp_path / "b.pcd", seed=1)
    points[3, 1] = np.nan
    write_points(tmp_path / "b.pcd", points)
    (tmp_path / "all.conf").write_text(f"bmesh a.ply {UNIT}\nbmesh b.pcd {UNIT}\n")
    shape = load(tmp_path)
    assert len(shape.vertices) == len(shape.towards_sensor) == 99
    assert any("b.pcd: 1 of 50 points were NaN" in note for note in shape.notes)


def test_a_scan_that_is_named_twice_counts_once(tmp_path):
    points = scan(tmp_path / "a.ply")
    (tmp_path / "all.conf").write_text(f"bmesh a.ply {UNIT}\n" * 2)
    shape = load(tmp_path)
    assert len(shape.vertices) == 100
    assert any("repeat the position of another: 50" in note for note in shape.notes)
    assert shape.used.sum() == len(np.unique(points, axis=0))


def test_the_scans_of_the_bunny_lie_on_its_reconstruction(shared):
    from scipy.spatial import cKDTree

    shape = load(shared / "data" / "scans" / "bunny")
    truth = load(shared / "data" / "scans" / "bunny" / "bun_zipper.ply")
    assert len(shape.vertices) == 362_272
    distance, _ = cKDTree(truth.vertices).query(shape.vertices[::50])
    assert np.median(distance) < 0.001
