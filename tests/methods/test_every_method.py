"""What holds for every method of one shape in the table, and for every network that such a method takes."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from isofield.cli.list import _settings
from isofield.data.shape import Shape
from isofield.extraction.surface import extract_surface
from isofield.geometry.certificate import certify
from isofield.geometry.frames import PADDING
from isofield.geometry.level import Below
from isofield.methods import METHODS
from isofield.methods.choice import QUALITIES, Size
from isofield.networks.coordinate import NETWORKS, CoordinateNetwork
from isofield.runtime.errors import InputError
from isofield.training.clock import Budget, Clock
from isofield.training.loop import train
from isofield.training.method import Method
from isofield.verbs.options import updated

RADIUS = 1 / PADDING  # of a ball in its working box


@pytest.fixture(scope="module")
def ball() -> Shape:
    """A ball as a mesh."""
    mesh = extract_surface(lambda points: points.norm(dim=1) - 0.6, Below(), 32).mesh
    return Shape("ball", "mesh", mesh.vertices.astype(np.float64), mesh.faces)


@pytest.fixture(params=[name for name, entry in METHODS.items() if "mesh" in entry.takes])
def entry(request):
    """A line of the table."""
    return METHODS[request.param]


SOLID = [name for name, entry in METHODS.items() if entry.learns_from == "solid"]
SURFACE = [name for name, entry in METHODS.items() if entry.learns_from == "surface"]
solid_methods = pytest.mark.parametrize("entry", SOLID, indirect=True)
surface_methods = pytest.mark.parametrize("entry", SURFACE, indirect=True)


def small(entry, **settings):
    """The method with a small network."""
    method_class, config_class = entry.load()
    if entry.learns_from == "surface":
        return method_class(config_class(layers=4, width=64, **settings))
    return method_class(config_class(CoordinateNetwork(levels=2, log2_table=8), **settings))


def points_of_a_ball(normals: bool) -> Shape:
    """A ball as points, raw or with normals."""
    directions = np.random.default_rng(0).normal(size=(4000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return Shape("ball", "points", 5 * directions, normals=directions.astype(np.float32) if normals else None)


def _changed(value: object) -> object:
    """Another value of the same kind, of this or a nested setting."""
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(
            value, **{f.name: _changed(getattr(value, f.name)) for f in dataclasses.fields(value)}
        )
    if isinstance(value, str):
        return "siren"
    if isinstance(value, tuple):
        return (*value, 0.5)
    if value is None:
        return 7
    return value + 1 if isinstance(value, int) else value / 2


def test_a_config_survives_its_way_through_run_json(entry):
    _, config_class = entry.load()
    for config in (config_class(), _changed(config_class())):
        written = json.loads(json.dumps(dataclasses.asdict(config)))
        assert updated(config_class(), written, "test") == config


@solid_methods
def test_a_setting_that_is_not_there_is_refused_with_those_that_are(entry):
    _, config_class = entry.load()
    with pytest.raises(InputError, match="no setting 'finestt'") as caught:
        updated(config_class(), {"network": {"finestt": 3}}, "method")
    assert "network" in caught.value.where
    assert "log2_table" in caught.value.remedy


def test_every_setting_has_a_meaning(entry):
    _, config_class = entry.load()
    settings = _settings(config_class)
    assert {f.name for f in dataclasses.fields(config_class)} == {name.split(".")[0] for name in settings}
    assert [name for name, (_, meaning) in settings.items() if not meaning] == []


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_quality_fits_every_config(entry, quality):
    _, config_class = entry.load()
    config = config_class().at(QUALITIES[quality])
    if entry.learns_from == "solid":
        assert config.network.finest == QUALITIES[quality].finest


@solid_methods
def test_a_config_of_a_size_takes_its_network_and_its_batches(entry):
    _, config_class = entry.load()
    size = Size.within(2048)
    config = config_class().of(size)
    assert (config.network, config.points) == (size.network, size.points)


def test_the_defaults_are_those_of_the_standard_quality(entry):
    _, config_class = entry.load()
    assert config_class().at(QUALITIES["standard"]) == config_class()


def test_a_method_is_what_the_loop_expects_and_is_built_from_its_config_alone(entry):
    method = small(entry)
    assert isinstance(method, Method)
    assert method.products()["mesh"].field(torch.zeros(5, 3)).shape == (5,)


def test_a_batch_depends_on_the_seed_and_the_step_alone(entry, ball):

    def batch(seed: int, steps: list[int]) -> list[torch.Tensor]:
        method = small(entry, points=64)
        method.prepare(ball, seed)
        return list(vars([method.batch("field", step, 0.0) for step in steps][-1]).values())

    def are_equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
        return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))

    once = batch(3, [*range(41)])
    assert are_equal(once, batch(3, [40]))
    assert not are_equal(once, batch(3, [41]))
    assert not are_equal(once, batch(4, [40]))


@solid_methods
def test_labels_and_predictions_agree_on_which_side_is_inside(entry, ball):
    """A field that answers with the labels themselves has an intersection over union of 1 with the solid."""
    method_class, config_class = entry.load()
    method = method_class(config_class(CoordinateNetwork(levels=2, log2_table=8), points=4096))
    method.prepare(ball, 0)
    batch = method.batch("field", 0, 0.0)
    middle = (
        0.5 if entry.method == "Occupancy" else 0.0
    )  # labels of occupancy are probabilities, the field gives logits
    depth = method.products()["mesh"].inside.depth(batch.labels - middle)
    inside = batch.points.norm(dim=1) < RADIUS
    near = (batch.points.norm(dim=1) - RADIUS).abs() < 0.01  # the mesh has edges where the ball is round
    assert torch.equal((depth > 0)[~near], inside[~near])


@solid_methods
@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_trains_and_can_be_extracted(entry, ball, kind):
    method_class, config_class = entry.load()
    method = method_class(config_class(CoordinateNetwork(kind, levels=2, log2_table=10), points=128))
    method.prepare(ball, 0)
    before = {name: value.clone() for name, value in method.field.state_dict().items()}
    train(method, Clock(Budget(steps=2)), [])
    moved = {
        name
        for name, parameter in method.field.named_parameters()
        if not torch.equal(parameter, before[name])
    }
    assert moved == {name for name, _ in method.field.named_parameters()}
    surface = method.products()["mesh"]
    with torch.no_grad():
        values = surface.field(torch.linspace(-1, 1, 300).reshape(100, 3))
    # after two steps the level itself may be nowhere, the middle of the values is somewhere
    middle = type(surface.inside)(float(values.median()))
    certificate = certify(extract_surface(surface.field, middle, 12, search="dense").mesh)
    assert certificate.closed


@solid_methods
def test_a_few_steps_find_a_ball(entry, ball):
    method_class, config_class = entry.load()
    torch.manual_seed(0)
    network = CoordinateNetwork(levels=3, coarsest=8, finest=32, log2_table=15)
    method = method_class(config_class(network, points=4096))
    method.prepare(ball, 0)
    train(method, Clock(Budget(steps=60)), [])
    name, iou = method.metric()
    assert name == "iou_held_out"
    assert iou > 0.98
    surface = method.products()["mesh"]
    mesh = extract_surface(surface.field, surface.inside, 48).mesh
    certificate = certify(mesh)
    assert certificate.closed
    assert certificate.manifold
    # logits bend at the surface, so that straight edges of a coarse grid cut a little of the ball off
    assert certificate.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.04)


@surface_methods
@pytest.mark.parametrize("given", ["mesh", "oriented", "raw"])
def test_a_few_steps_find_a_ball_from_its_surface_alone(entry, ball, given):
    torch.manual_seed(0)
    method = small(entry, points=256, learning_rate=0.002)
    method.prepare(ball if given == "mesh" else points_of_a_ball(given == "oriented"), 0)
    names = method.loss("field", method.batch("field", 0, 0.0), 0.0)
    assert ("normal" in names) == (entry.method == "IGR" and given != "raw")
    train(method, Clock(Budget(steps=120)), [])
    name, distance = method.metric()
    assert name == "distance_at_held_out_points"
    assert distance < 0.03
    surface = method.products()["mesh"]
    certificate = certify(extract_surface(surface.field, surface.inside, 48).mesh)
    assert certificate.closed
    assert certificate.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.1)


@surface_methods
def test_raw_points_need_no_solid_to_be_learnt_from(entry):
    shape = points_of_a_ball(normals=False)
    method = small(entry, points=64)
    method.prepare(shape, 0)
    train(method, Clock(Budget(steps=1)), [])
    method.metric()
    assert "solid" not in vars(shape)


@surface_methods
def test_points_that_are_kept_apart_are_not_learnt_from(entry):
    method = small(entry, points=64)
    method.prepare(points_of_a_ball(normals=False), 0)
    held_out = {row.tobytes() for row in method.data.held_out.numpy()}
    assert len(held_out) == 400
    assert not held_out & {row.tobytes() for row in method.data.positions}


@surface_methods
def test_of_a_few_points_one_is_kept_apart(entry):
    method = small(entry, points=64)
    method.prepare(Shape("corners", "points", np.eye(4, 3)), 0)
    assert (len(method.data.held_out), len(method.data.positions)) == (1, 3)
    assert np.isfinite(method.metric()[1])


def test_the_metric_is_the_intersection_over_union(ball):
    """Against a ball of half the volume: exactly one half."""
    from isofield.data.samples import HeldOut

    smaller = RADIUS * 0.5 ** (1 / 3)
    iou = HeldOut(ball.solid, seed=0).iou(lambda points: points.norm(dim=1) - smaller, Below())
    assert iou == pytest.approx(0.5, abs=0.02)
