"""MISE finds exactly the dense components that its coarse grid meets, reading far less, also slab by slab."""

import numpy as np
import pytest
import torch

from isofield.extraction.mise import coarse_resolution
from isofield.extraction.surface import extract_surface
from isofield.geometry.certificate import certify
from isofield.geometry.level import Below
from isofield.kernels.topology import components
from isofield.runtime.errors import InputError
from isofield.runtime.threads import set_threads, threads


def assert_same(one, other):
    np.testing.assert_array_equal(one.vertices, other.vertices)
    np.testing.assert_array_equal(one.faces, other.faces)


def ripples(p):
    """Many thin walls and tunnels: the coarse grid sees most of it wrongly."""
    waves = torch.sin(9 * p[:, 0]) * torch.cos(8 * p[:, 1]) + torch.sin(7 * p[:, 1] + 2) * torch.cos(
        11 * p[:, 2]
    )
    return waves + p.norm(dim=1) - 0.4


@pytest.mark.parametrize("name", ["sphere", "box", "torus", "two_spheres"])
@pytest.mark.parametrize(("resolution", "coarse"), [(64, 8), (64, 32), (128, 32)])
def test_mise_equals_dense_on_connected_shapes(shapes, name, resolution, coarse):
    field = shapes[name].distance
    mise = extract_surface(field, Below(), resolution, coarse=coarse)
    dense = extract_surface(field, Below(), resolution, search="dense")
    assert_same(mise.mesh, dense.mesh)
    assert mise.evaluations < dense.evaluations / 2


@pytest.mark.parametrize("name", ["sphere", "torus"])
def test_mise_equals_dense_at_256(shapes, name):
    mise, dense = (extract_surface(shapes[name].distance, Below(), 256, search=m) for m in ("mise", "dense"))
    assert_same(mise.mesh, dense.mesh)


def test_mise_finds_whole_components_and_misses_whole_components():
    mise = extract_surface(ripples, Below(), 64, coarse=8).mesh
    dense = extract_surface(ripples, Below(), 64, search="dense").mesh
    found = {tuple(v) for v in mise.vertices.tolist()}
    assert found <= {tuple(v) for v in dense.vertices.tolist()}
    is_found = np.array([tuple(v) in found for v in dense.vertices.tolist()])
    part = components(dense.faces, len(dense.vertices))
    share = np.bincount(part, is_found)[np.unique(part)] / np.bincount(part)[np.unique(part)]
    assert set(share) <= {0.0, 1.0}


def test_components_between_the_coarse_points_are_missed_and_can_be_counted():
    # spheres of radius 0.06 around points of the coarse grid (spacing 0.25), and around the middles of its
    # cells
    at_points = torch.tensor([[0.5, 0.0, 0.0], [-0.5, 0.25, 0.0]])
    between = torch.tensor([[0.125, 0.625, 0.125], [-0.125, -0.375, 0.625], [0.375, -0.625, -0.375]])

    def field(p):
        return torch.cdist(p, torch.cat([at_points, between])).amin(dim=1) - 0.06

    counts = [
        certify(extract_surface(field, Below(), 64, search=search, coarse=coarse).mesh, 0).components
        for search, coarse in (("mise", 8), ("mise", 16), ("dense", None))
    ]
    assert counts == [2, 5, 5]


@pytest.mark.parametrize("search", ["mise", "dense"])
@pytest.mark.parametrize("field", [ripples, lambda p: torch.hypot(p[:, 0], p[:, 1] - 0.2) - 0.3])
def test_streamed_is_equal_bit_for_bit(search, field):
    coarse = 16 if search == "mise" else None
    whole = extract_surface(field, Below(), 128, search=search, coarse=coarse)
    streamed = extract_surface(field, Below(), 128, search=search, coarse=coarse, max_memory=33 << 20)
    assert_same(streamed.mesh, whole.mesh)
    assert streamed.evaluations == whole.evaluations


def test_thin_slabs_pass_the_surface_to_and_fro(monkeypatch):
    # a winding tube between the coarse points, which only the ball at its lower end leads to
    from isofield.extraction import mise

    def snake(p):
        tube = torch.hypot(p[:, 0] - 0.3 * torch.sin(9 * p[:, 2]), p[:, 1] - 0.11) - 0.05
        ball = (p - torch.tensor([-0.25, 0.0, -0.75])).norm(dim=1) - 0.15
        return torch.minimum(tube.clamp(min=p[:, 2].abs() - 0.8), ball)

    whole = extract_surface(snake, Below(), 128, coarse=8)
    assert_same(whole.mesh, extract_surface(snake, Below(), 128, search="dense").mesh)
    visited, search = [], mise._search_part
    monkeypatch.setattr(mise, "_slabs", lambda *_: [(first, first + 16) for first in range(0, 128, 16)])
    monkeypatch.setattr(
        mise, "_search_part", lambda parts, n, *rest: visited.append(n) or search(parts, n, *rest)
    )
    slabs = extract_surface(snake, Below(), 128, coarse=8, max_memory=1 << 30)
    assert max(visited.count(n) for n in range(8)) > 3
    assert_same(slabs.mesh, whole.mesh)
    assert slabs.evaluations == whole.evaluations


@pytest.mark.parametrize(("search", "coarse"), [("mise", 6), ("dense", None)])
def test_reference_backend_and_one_thread_give_the_same_mesh(search, coarse, monkeypatch):
    expected = extract_surface(ripples, Below(), 24, search=search, coarse=coarse).mesh
    before = threads()
    set_threads(1 if before > 1 else 3)
    try:
        assert_same(extract_surface(ripples, Below(), 24, search=search, coarse=coarse).mesh, expected)
    finally:
        set_threads(before)
    monkeypatch.setenv("ISOFIELD_KERNELS", "reference")
    assert_same(extract_surface(ripples, Below(), 24, search=search, coarse=coarse).mesh, expected)


@pytest.mark.parametrize("search", ["mise", "dense"])
def test_too_little_memory_is_refused_with_what_would_do(search):
    from isofield.runtime.memory import parse_size

    def field(p):
        raise AssertionError("the field must not be read")

    with pytest.raises(InputError) as error:
        extract_surface(field, Below(), 512, search=search, max_memory=10 << 20)
    advice = error.value.remedy.removeprefix("Give ").split(" or more")[0]
    with pytest.raises(AssertionError):  # enough to begin
        extract_surface(field, Below(), 512, search=search, max_memory=parse_size(advice.replace(" ", "")))


def test_coarse_grid_is_chosen_by_the_resolution():
    chosen = {
        resolution: coarse_resolution(resolution, None) for resolution in (64, 256, 512, 1024, 2048, 320)
    }
    assert chosen == {64: 64, 256: 128, 512: 128, 1024: 256, 2048: 256, 320: 80}
