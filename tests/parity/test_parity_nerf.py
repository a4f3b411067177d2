"""NeRF against the published codes: networks, rendering, images of trained checkpoints."""

import json

import numpy as np
import pytest
import torch

from isofield.methods.nerf import Config, Draws, NeRF, RadianceFields, render_rays
from isofield.networks.nerf import NeRFNetwork, NeRFWiring, from_keras_order, from_published
from isofield.rendering.rays import Rays
from isofield.rendering.volume import composite


class Pack:
    """The arrays of one parity pack, as tensors."""

    def __init__(self, folder):
        self.inputs, self.outputs, self.weights = (
            {key: torch.from_numpy(np.array(value)) for key, value in np.load(folder / f"{part}.npz").items()}
            for part in ("inputs", "outputs", "weights")
        )

    def network(self, prefix):
        prefix = f"{prefix}/"
        state = {k.removeprefix(prefix): v for k, v in self.weights.items() if k.startswith(prefix)}
        return from_published(state, prefix)


@pytest.fixture
def pack(shared):
    return lambda name: Pack(shared / "parity" / name)


def built(wiring, state):
    network = NeRFNetwork(wiring)
    network.load_state_dict(state)
    return network


NAMES = {
    "layers": "pts_linears", "density": "alpha_linear", "feature": "feature_linear",
    "output": "output_linear", "view": "views_linears.0", "colour": "rgb_linear",
}  # fmt: skip


def published_gradients(network):
    """Gradients by the published keys."""
    found = {}
    for name, parameter in network.named_parameters():
        first, rest = name.split(".", 1)
        found[f"{NAMES[first]}.{rest}"] = parameter.grad
    return found


@pytest.mark.parametrize("form", ["view", "noview"])
def test_the_network_equals_the_published_one(pack, form):
    p = pack("nerf_network")
    wiring, state = p.network(form)
    assert (wiring.width, wiring.depth, wiring.skips, wiring.views) == (64, 8, (5,), form == "view")
    network = built(wiring, state).double()
    points, cotangent = p.inputs["points"].double(), p.inputs[f"{form}/cotangent"]
    out = network(points, p.inputs["viewdirs"].double())
    torch.testing.assert_close(out.detach(), p.outputs[f"{form}/out"][:, :4], rtol=1e-9, atol=1e-11)
    loss = (out * cotangent[:, :4]).sum()
    if form == "noview":  # the unused fifth output is in the pack's loss
        fifth = network.hidden(points) @ p.weights["noview/output_linear.weight"][4].double()
        loss = loss + (fifth * cotangent[:, 4]).sum()
    loss.backward()
    ours, compared = published_gradients(network), 0
    for key, expected in p.outputs.items():
        if key.startswith(f"{form}/grad/") and (name := key.removeprefix(f"{form}/grad/")) in ours:
            expected = expected[:4] if name.startswith("output_linear") else expected
            torch.testing.assert_close(ours[name], expected, rtol=1e-9, atol=1e-11)
            compared += 1
    assert compared >= 5


def test_the_tensorflow_layout_holds_the_same_network(pack, shared):
    p = pack("nerf_network")
    arrays = np.load(shared / "parity" / "nerf_network" / "keras_layout.npy", allow_pickle=True)
    wiring, state = from_keras_order([torch.from_numpy(np.asarray(a)) for a in arrays], "keras_layout.npy")
    expected, theirs = p.network("view")
    assert wiring == expected
    assert state.keys() == theirs.keys()
    assert all(state[key].equal(theirs[key]) for key in state)


@pytest.mark.parametrize(("form", "views"), [("blender_view", True), ("noview", False)])
def test_published_keys_and_shapes_are_those_of_our_network(shared, form, views):
    listed = json.loads((shared / "parity" / "keys" / "nerf.json").read_text())[form]
    wiring, _ = from_published({k: torch.zeros(s) for k, s in listed["state_dict"].items()}, form)
    assert wiring == NeRFWiring(views=views)
    if views:
        assert sum(p.numel() for p in NeRFNetwork(wiring).parameters()) == listed["n_params"]


@pytest.mark.parametrize("form", ["det", "perturb"])
def test_coarse_and_fine_rendering_equals_the_published_code(pack, form):
    p = pack("nerf_render_rays")
    wiring, _ = p.network("coarse")
    config = Config(network=wiring, samples=16, importance=12, near=2.0, far=6.0, white=True)
    fields = RadianceFields(config)
    fields.coarse.load_state_dict(p.network("coarse")[1])
    fields.fine.load_state_dict(p.network("fine")[1])
    fields.double()
    rays = Rays(p.inputs["rays_o"].double(), p.inputs["rays_d"].double())
    views = rays.directions / rays.directions.norm(dim=1, keepdim=True)
    draws = Draws(p.inputs["t_rand"].double(), p.inputs["u_fine"].double()) if form == "perturb" else None
    coarse, fine = (composite(*each) for each in render_rays(fields, rays, views, config, draws))
    target = p.inputs["target"].double()
    loss = sum((seen.over(1.0) - target).square().mean() for seen in (coarse, fine))
    loss.backward()
    ours = {
        "rgb": fine.over(1.0),
        "acc": fine.opacity,
        "rgb0": coarse.over(1.0),
        "acc0": coarse.opacity,
        "loss": loss,
    }
    for name, network in (("coarse", fields.coarse), ("fine", fields.fine)):
        ours |= {f"grad_{name}/{key}": value for key, value in published_gradients(network).items()}
    for key, expected in p.outputs.items():
        if key.startswith(f"{form}/") and (name := key.removeprefix(f"{form}/")) in ours:
            torch.testing.assert_close(ours[name].detach(), expected, rtol=1e-7, atol=1e-9)


def imported(p, **settings):
    """The method with the pack's trained networks."""
    wiring, coarse = p.network("coarse")
    method = NeRF(Config(network=wiring, samples=64, importance=64, **settings))
    method.field.coarse.load_state_dict(coarse)
    method.field.fine.load_state_dict(p.network("fine")[1])
    return method


def published_rays(pose, height, width, focal):
    """Through the corners of the pixels, directions of depth 1."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    local = torch.stack([(x - width / 2) / focal, -(y - height / 2) / focal, -torch.ones_like(x)], -1)
    directions = local.reshape(-1, 3).float() @ pose[:3, :3].T
    return Rays(pose[:3, 3].expand_as(directions).contiguous(), directions)


def test_the_trained_lego_networks_give_the_published_values(pack):
    p = pack("nerf_pretrained/lego")
    for name in ("coarse", "fine"):
        network = built(*p.network(name))
        raw = network(p.inputs["probe/points"], p.inputs["probe/viewdirs"]).detach()
        torch.testing.assert_close(raw, p.outputs[f"probe/{name}"], rtol=0.002, atol=0.002)


def assert_same_picture(ours, published, mean, large, share):
    off = (ours.reshape(published.shape) - published).abs()
    assert off.mean() < mean
    assert (off.amax(-1) > large).float().mean() <= share


@pytest.mark.parametrize("view", ["path", "train_r_0"])
def test_the_trained_lego_networks_give_the_published_pictures(pack, view):
    p = pack("nerf_pretrained/lego")
    method = imported(p, near=2.0, far=6.0, white=True)
    rays = published_rays(p.inputs[f"{view}/c2w"], 100, 100, p.inputs["focal"].item())
    colours = method.products()["views"].render(rays).over(1.0)
    assert_same_picture(colours, p.outputs[f"{view}/rgb_fine"], 2e-3, 0.02, 0.005)


def test_the_trained_fern_networks_give_the_published_picture(pack):
    p = pack("nerf_pretrained/fern")
    height, width = p.inputs["HW"].tolist()
    focal = p.inputs["focal"].item()
    method = imported(p, near=0.0, far=1.0, white=False, ndc=(float(width), float(height), focal))
    rays = published_rays(p.inputs["c2w"], height, width, focal)
    rays = Rays(rays.origins, rays.directions / rays.directions.norm(dim=1, keepdim=True))
    seen = method.products()["views"].render(rays)
    assert_same_picture(seen.over(0.0), p.outputs["rgb_fine"], 3e-3, 0.03, 0.01)
