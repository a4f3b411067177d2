"""The same work from Python."""

import numpy as np
import pytest
import torch
import trimesh

import isofield
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import InputError

SMALL = {"points": 4096, "network": {"levels": 3, "coarsest": 8, "finest": 32, "log2_table": 15}}


@pytest.fixture(scope="module")
def run(tmp_path_factory, spot):
    return isofield.fit(
        spot,
        quality="draft",
        config=SMALL,
        steps=60,
        resolution=48,
        out=tmp_path_factory.mktemp("face") / "run",
    )


def test_every_public_name_can_be_had():
    for name in isofield.__all__:
        assert getattr(isofield, name) is not None
    assert set(isofield.__all__) <= set(dir(isofield))


def test_a_name_that_is_not_there_says_which_are():
    with pytest.raises(AttributeError, match="fit"):
        isofield.fitt  # noqa: B018 (the look-up is what is tested)


def test_a_fit_is_the_fit_of_the_command(run, spot_run):
    assert (run.path / "mesh.ply").read_bytes() == (spot_run / "mesh.ply").read_bytes()
    assert run.certificate["closed"]
    assert run.metrics["figures"]["iou"] > 0.97
    assert run.seconds["total"] > 0


def test_the_mesh_is_a_trimesh_in_the_coordinates_of_the_input(run, spot):
    mesh = run.mesh()
    assert isinstance(mesh, trimesh.Trimesh)
    assert mesh.is_watertight
    assert mesh.extents == pytest.approx(np.ptp(isofield.load(spot).vertices, axis=0), rel=0.05)


def test_the_field_agrees_with_another_library_on_inside_and_distance(run, spot):
    igl = pytest.importorskip("igl")
    shape = isofield.load(spot)
    points = np.random.default_rng(0).uniform(shape.vertices.min(0), shape.vertices.max(0), (4000, 3))
    distance = igl.signed_distance(points, shape.vertices, shape.faces.astype(np.int64))[0]
    values = run.field(points).numpy()
    clear = np.abs(distance) > 0.03
    assert np.mean((values < 0) == (distance < 0), where=clear) > 0.99
    limit = run.description["config"]["truncation"] / run.frame.scale
    near = np.abs(distance) < limit
    assert np.abs(values - distance)[near].mean() < 0.5 * limit


def test_the_field_takes_lists_arrays_and_single_precision(run):
    points = [[0.0, 0.1, 0.2], [0.5, 0.5, 0.5]]
    expected = run.field(points)
    assert expected.shape == (2,)
    assert torch.equal(run.field(np.array(points)), expected)
    assert torch.allclose(run.field(np.array(points, np.float32)), expected, atol=1e-5)


def test_an_opened_run_extracts_and_evaluates(run):
    opened = isofield.open_run(run.path)
    assert len(isofield.extract(opened, resolution=24)[0].faces) < len(run.mesh().faces) * 2
    assert opened.certificate["extraction"]["resolution"] == 24
    assert isofield.evaluate(opened)["figures"]["iou"] > 0.9
    isofield.extract(opened, resolution=48)  # as it was
    isofield.evaluate(opened)


def test_a_shape_in_memory_serves_as_well_as_a_file(spot, tmp_path):
    shape = isofield.load(spot)
    run = isofield.fit(shape, quality="draft", config=SMALL, steps=20, resolution=24, out=tmp_path / "run")
    assert run.certificate["closed"]


def test_checking_gives_facts(spot):
    assert isofield.check(spot)["closed"]


@pytest.mark.parametrize(
    "options", [{"seconds": 1, "steps": 2}, {"steps": 0}, {"quality": "best"}, {"method": "neus"}]
)
def test_what_cannot_work_raises_an_error_in_words(spot, tmp_path, options):
    with pytest.raises(InputError) as caught:
        isofield.fit(spot, out=tmp_path / "run", **options)
    assert caught.value.remedy
    assert not (tmp_path / "run").exists()


def test_an_unknown_option_is_a_type_error(spot, tmp_path):
    with pytest.raises(TypeError, match="stepz"):
        isofield.fit(spot, out=tmp_path / "run", stepz=3)


def test_no_points_have_no_values_and_other_arrays_are_refused(run):
    assert run.field(np.zeros((0, 3))).shape == (0,)
    with pytest.raises(InputError, match="shape"):
        run.field(np.zeros(3))


def test_a_trimesh_serves_as_input_and_the_run_says_that_it_is_not_kept(run, tmp_path):
    mesh = run.mesh()
    again = isofield.fit(mesh, quality="draft", config=SMALL, steps=20, resolution=24, out=tmp_path / "run")
    assert again.metrics["figures"]["iou"] > 0.5
    with pytest.raises(InputError, match="in memory"):
        again.shape()


def test_resuming_takes_text_for_the_folder(run):
    assert isofield.fit(run.shape(), out=str(run.path), resume=True, resolution=48).path == run.path


def test_a_mesh_in_memory_leaves_the_figures_of_the_run_alone(run):
    before = run.metrics
    shape = run.shape()
    assert isofield.evaluate(run, Mesh(shape.vertices, shape.faces))["figures"]["iou"] == 1.0
    assert run.metrics == before
