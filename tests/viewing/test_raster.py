import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isofield.kernels.raster import rasterise
from isofield.runtime.threads import set_threads, threads


def both(monkeypatch, *scene):
    fast = rasterise(*scene)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    return fast, rasterise(*scene)


def soup(rng, faces, size, grid=None):
    """Random triangles that cross the borders; on a `grid` vertices meet pixel centres and each other."""
    screen = np.concatenate(
        [rng.uniform(-0.3, 1.3, (3 * faces, 2)) * size, rng.uniform(0.1, 1, (3 * faces, 1))], axis=1
    )
    if grid:
        screen[:, :2] = np.round(screen[:, :2] / grid) * grid
    attributes = rng.normal(size=(3 * faces, 4)).astype(np.float32)
    return screen, rng.integers(0, 3 * faces, (faces, 3), dtype=np.int32), attributes


@pytest.mark.parametrize(("faces", "grid"), [(0, None), (1, None), (60, None), (60, 0.5), (60, 4)])
def test_compiled_rasteriser_equals_the_reference(monkeypatch, faces, grid):
    screen, triangles, attributes = soup(np.random.default_rng(faces), faces, np.array([37, 23]), grid)
    (face, image), (face_reference, image_reference) = both(
        monkeypatch, screen, triangles, attributes, 23, 37
    )
    np.testing.assert_array_equal(face, face_reference)
    np.testing.assert_allclose(image, image_reference, atol=1e-5)


def test_picture_does_not_depend_on_the_number_of_threads():
    scene = soup(np.random.default_rng(5), 200, np.array([64, 64]))
    before = threads()
    try:
        set_threads(1)
        alone = rasterise(*scene, 64, 64)
        set_threads(3)
        together = rasterise(*scene, 64, 64)
    finally:
        set_threads(before)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_triangulated_sheet_has_no_cracks(seed):
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:9, 0:9]
    inner = ((rows % 8 > 0) & (columns % 8 > 0))[..., None]
    xy = np.stack([columns, rows], axis=-1) * 5.0 + inner * rng.uniform(-1.6, 1.6, (9, 9, 2))
    corner = (rows[:8, :8] * 9 + columns[:8, :8]).ravel()[:, None]
    faces = (corner + np.array([[0, 1, 10, 0, 10, 9]])).reshape(-1, 3).astype(np.int32)
    # unshared vertices: coverage must agree by position alone
    screen = np.concatenate([xy.reshape(-1, 2)[faces.ravel()], np.ones((3 * len(faces), 1))], axis=1)
    own = np.arange(3 * len(faces), dtype=np.int32).reshape(-1, 3)
    face, _ = rasterise(screen, own, np.zeros((len(screen), 1), np.float32), 40, 40)
    assert (face >= 0).all()


def test_the_nearer_of_crossing_triangles_is_seen():
    # two large triangles whose depths cross at x = 16
    corners = np.array([[-40, -40], [80, -40], [16, 200]], float)
    left = np.concatenate([corners, 1 + (16 - corners[:, :1]) / 100], axis=1)
    right = np.concatenate([corners, 1 - (16 - corners[:, :1]) / 100], axis=1)
    faces = np.arange(6, dtype=np.int32).reshape(2, 3)
    face, _ = rasterise(np.concatenate([left, right]), faces, np.zeros((6, 1), np.float32), 32, 32)
    np.testing.assert_array_equal(face, np.broadcast_to(np.where(np.arange(32) < 16, 0, 1), (32, 32)))


def test_attributes_are_perspective_correct():
    # the plane z = 2 + x through a pinhole at the origin, focal length 50 pixels: x / z = (column - 32) / 50
    points = np.array([[-1.5, -3, 0.5], [6, -3, 8], [0, 6, 2]])
    screen = np.stack(
        [32 + 50 * points[:, 0] / points[:, 2], 32 + 50 * points[:, 1] / points[:, 2], 1 / points[:, 2]],
        axis=1,
    )
    face, image = rasterise(screen, np.array([[0, 1, 2]], np.int32), points.astype(np.float32), 64, 64)
    slope = (np.arange(64) + 0.5 - 32) / 50
    expected = np.broadcast_to(2 * slope / (1 - slope), (64, 64))
    assert (face == 0).sum() > 800
    # positions are rounded to 1/256 pixel, 4e-5 of the depth, which the steepest place multiplies by about 20
    np.testing.assert_allclose(image[..., 0][face == 0], expected[face == 0], atol=2e-3)
