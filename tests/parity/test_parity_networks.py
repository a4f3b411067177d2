"""Encodings and implicit networks against the values of the published code."""

import ast
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from isofield.networks.deepsdf import DeepSDFDecoder
from isofield.networks.derivatives import laplacian, value_and_gradient
from isofield.networks.encodings import (
    CosineFirstFourierFeatures,
    FourierFeatures,
    PositionalEncoding,
    basic_frequencies,
    octave_frequencies,
    octave_frequencies_by_axis,
    octave_frequencies_less_one,
)
from isofield.networks.geometric import AddTanh, igr_network, sal_decoder
from isofield.networks.losses import igr_loss, sal_loss, sal_reconstruction_loss, siren_sdf_loss
from isofield.networks.mlp import MLP
from isofield.networks.siren import Siren, relu_positional_key, relu_positional_network, siren_key
from isofield.networks.spherical_harmonics import CONDON_SHORTLEY_SIGNS, PLAIN_SIGNS, SphericalHarmonics


class Pack:
    """The arrays of one parity pack, as tensors."""

    def __init__(self, folder):
        self.about = json.loads((folder / "pack.json").read_text())
        self.inputs, self.outputs, self.weights = (
            {key: torch.from_numpy(np.array(value)) for key, value in np.load(folder / f"{name}.npz").items()}
            if (folder / f"{name}.npz").exists()
            else {}
            for name in ("inputs", "outputs", "weights")
        )

    def state(self, prefix, rename=lambda key: key):
        return {rename(k.removeprefix(prefix)): v for k, v in self.weights.items() if k.startswith(prefix)}


@pytest.fixture
def pack(shared):
    return lambda name: Pack(shared / "parity" / name)


def assert_close(ours, published, rtol, atol):
    torch.testing.assert_close(
        ours.detach(), published.reshape(ours.shape).to(ours.dtype), rtol=rtol, atol=atol
    )


def assert_gradients(module, pack, prefix, rename=lambda key: key):
    """Gradients of float64 parameters against those stored (as float32), and their norms."""
    expected = {k.removeprefix(f"gradnorm/{prefix}"): v for k, v in pack.outputs.items()}
    expected = {k: v for k, v in expected.items() if f"gradnorm/{prefix}{k}" in pack.outputs}
    parameters = dict(module.named_parameters())
    assert {rename(key) for key in expected} == set(parameters)
    for key, norm in expected.items():
        gradient = parameters[rename(key)].grad
        assert_close(gradient.norm(), norm, 1e-9, 1e-12)
        assert_close(gradient, pack.outputs[f"grad/{prefix}{key}"], 1e-5, 1e-7 * norm.item())


def cosine_sum(out):
    """The packs' scalar loss: sum over i of out[i] cos(0.7 i)."""
    flat = out.flatten()
    return (flat * torch.cos(0.7 * torch.arange(len(flat), dtype=flat.dtype))).sum()


def test_nerf_embedding_equals_the_published_code(pack):
    p = pack("nerf_embedding")
    for frequencies, name in ((10, "gamma10"), (4, "gamma4")):
        encode = PositionalEncoding(3, frequencies)
        assert_close(encode.double()(p.inputs["x"].double()), p.outputs[name], 1e-9, 1e-12)
        assert_close(encode.float()(p.inputs["x"]), p.outputs[name], 0, 3e-4)


@pytest.mark.parametrize(("signs", "name"), [(PLAIN_SIGNS, "nerfstudio"), (CONDON_SHORTLEY_SIGNS, "tcnn")])
def test_spherical_harmonics_equal_both_published_conventions(pack, signs, name):
    p = pack("sh_encoding")
    encode = SphericalHarmonics(4, signs)
    directions = p.inputs["dirs"].double().requires_grad_()
    values = encode.double()(directions)
    assert_close(values, p.outputs[name], 1e-9, 1e-11)
    (values * p.inputs["cotangent"]).sum().backward()
    assert_close(directions.grad, p.outputs[f"{name}_grad"], 1e-9, 1e-11)
    assert_close(encode.float()(p.inputs["dirs"]), p.outputs[name], 2e-4, 2e-5)
    assert torch.equal(SphericalHarmonics(3, signs)(p.inputs["dirs"]), encode(p.inputs["dirs"])[:, :16])


def test_fourier_features_equal_the_notebooks(pack):
    p = pack("fourier_features")
    by_axis, interleaved = octave_frequencies_by_axis(6, 5.0), octave_frequencies_less_one(4, 6.0)
    assert_close(by_axis.double(), p.outputs["tancik/posenc_B"], 1e-6, 0)
    assert_close(interleaved.double(), p.outputs["tancik/posenc3d_B"], 1e-6, 0)
    frequencies = {
        "gauss": p.inputs["B"],
        "basic": basic_frequencies(2).double(),
        "posenc": p.outputs["tancik/posenc_B"],
    }
    for name, rows in frequencies.items():
        assert_close(FourierFeatures(rows)(p.inputs["xy"]), p.outputs[f"tancik/{name}"], 0, 1e-6)
        single = FourierFeatures(rows.float())(p.inputs["xy"].float())
        assert_close(single, p.outputs[f"tancik/{name}"], 0, 1e-4)


@pytest.mark.parametrize(
    ("name", "out", "coordinates"), [("gauss", 3, "uv"), ("pos", 1, "xyz"), ("basic", 3, "uv")]
)
def test_fourier_networks_equal_the_published_classes(pack, name, out, coordinates):
    p = pack("fourier_features")
    state = p.state(f"{name}/")
    encoding = CosineFirstFourierFeatures(torch.zeros_like(state["b_values"]).T)
    widths = [len(state[f"layers.{k}.bias"]) for k in range(sum("bias" in key for key in state) - 1)]
    network = nn.Sequential(encoding, MLP(encoding.out_features, widths, out))
    network.load_state_dict(
        {f"1.lin{k[7:]}" if k.startswith("layers.") else f"0.{k}": v for k, v in state.items()}
    )
    assert_close(network(p.inputs[coordinates]), p.outputs[f"{name}/out"], 1e-4, 1e-4)
    assert_close(network.double()(p.inputs[coordinates].double()), p.outputs[f"{name}/out_64"], 1e-9, 1e-9)


def test_octave_frequencies_equal_the_published_class(pack):
    assert_close(octave_frequencies(8, 5.0).T, pack("fourier_features").outputs["pos/b_values"], 1e-6, 0)


@pytest.mark.parametrize("name", ["sdf", "img", "relu_pe"])
def test_siren_equals_the_published_code(pack, name):
    p = pack("siren")
    if name == "relu_pe":
        network = relu_positional_network(3, 1, 32, 2)
        network.load_state_dict(p.state("relu_pe/", relu_positional_key))
    else:
        network = Siren(3, 1, 32, 2) if name == "sdf" else Siren(2, 3, 32, 2)
        network.load_state_dict(p.state(f"{name}/", siren_key))
    x = p.inputs["coords2" if name == "img" else "coords"][0]
    assert_close(network(x), p.outputs[f"{name}/out"], 1e-4, 1e-5)
    network, x = network.double(), x.double()
    values, gradients = value_and_gradient(network, x)
    assert_close(values, p.outputs[f"{name}/out_64"], 1e-9, 1e-12)
    assert_close(gradients, p.outputs[f"{name}/gradient_64"], 1e-9, 1e-9)
    if name != "relu_pe":
        assert_close(laplacian(network, x), p.outputs[f"{name}/laplace_64"], 1e-9, 1e-9)


@pytest.mark.parametrize("name", ["sdf", "relu_pe"])
def test_siren_loss_equals_the_published_code(pack, name):
    p = pack("siren")
    network = Siren(3, 1, 32, 2) if name == "sdf" else relu_positional_network(3, 1, 32, 2)
    rename = siren_key if name == "sdf" else relu_positional_key
    network.load_state_dict(p.state(f"{name}/", rename))
    network.double()
    values, gradients = value_and_gradient(network, p.inputs["coords"][0].double())
    on_surface = p.inputs["sdf"][0, :, 0] != -1
    terms = siren_sdf_loss(values[:, 0], gradients, p.inputs["normals"][0].double(), on_surface)
    published = {
        "surface": "sdf",
        "space": "inter",
        "normal": "normal_constraint",
        "eikonal": "grad_constraint",
    }
    for ours, theirs in published.items():
        assert_close(terms[ours], p.outputs[f"{name}/loss/{theirs}"], 1e-9, 0)
    total = sum(terms.values())
    assert_close(total, p.outputs[f"{name}/loss_total_64"], 1e-9, 0)
    total.backward()
    assert_gradients(network, p, f"{name}/", rename)


def test_siren_initialisation_has_the_published_statistics(pack):
    statistics = pack("siren").about["init_statistics_full_size"]
    published = {siren_key(key): value for key, value in statistics.items()}
    torch.manual_seed(0)
    state = Siren().state_dict()
    assert set(state) == set(published)
    for key, expected in published.items():
        assert list(state[key].shape) == expected["shape"]
        if state[key].numel() > 200:
            assert state[key].std().item() == pytest.approx(expected["std"], rel=0.1)
            assert state[key].max().item() == pytest.approx(expected["max"], rel=0.05)


def igr_outputs(network, p, dtype):
    surface, normals, space = (p.inputs[name].to(dtype) for name in ("mnfld", "normals", "nonmnfld"))
    on, on_gradient = value_and_gradient(network, surface)
    off, off_gradient = value_and_gradient(network, space)
    terms = igr_loss(on[:, 0], on_gradient, normals, off_gradient)
    return {
        "mnfld_pred": on,
        "nonmnfld_pred": off,
        "mnfld_grad": on_gradient,
        "nonmnfld_grad": off_gradient,
        "mnfld_loss": terms["surface"],
        "eikonal": terms["eikonal"] / 0.1,
        "normals_loss": terms["normal"],
        "loss": sum(terms.values()),
    }


def test_igr_network_and_loss_equal_the_published_code(pack):
    p = pack("igr")
    network = igr_network(3, [48] * 6, skips=[3])
    network.load_state_dict(p.state("net/"))
    for name, ours in igr_outputs(network, p, torch.float32).items():
        tolerance = (1e-4, 1e-5) if name.endswith("grad") else (1e-5, 1e-6)
        assert_close(ours, p.outputs[name], *tolerance)
    outputs = igr_outputs(network.double(), p, torch.float64)
    for name, ours in outputs.items():
        assert_close(ours, p.outputs[f"{name}_64"], 1e-9, 1e-12)
    outputs["loss"].backward()
    assert_gradients(network, p, "")


def test_igr_relu_network_equals_the_published_code(pack):
    p = pack("igr")
    network = igr_network(3, [32] * 3, skips=[], radius=0.5, beta=0.0)
    network.load_state_dict(p.state("relu/"))
    assert_close(network(p.inputs["nonmnfld"]), p.outputs["relu/out"], 1e-5, 1e-6)


def test_igr_initialisation_has_the_published_statistics(pack):
    p = pack("igr")
    torch.manual_seed(0)
    network = igr_network()
    state = network.state_dict()
    assert set(state) == set(p.about["init_statistics_full_size"])
    for key, expected in p.about["init_statistics_full_size"].items():
        assert list(state[key].shape) == expected["shape"]
        # standard errors of the mean and of the deviation of two draws of this size
        error = max(expected["std"] / math.sqrt(state[key].numel()), 1e-12)
        assert state[key].mean().item() == pytest.approx(expected["mean"], abs=6 * error)
        assert state[key].std(unbiased=False).item() == pytest.approx(expected["std"], abs=6 * error)
    directions = nn.functional.normalize(torch.randn(200, 3), dim=-1)
    radii, published = p.outputs["geo_init/radii"].float(), p.outputs["geo_init/mean_std"][..., 0]
    profile = network(radii[:, None, None] * directions)[..., 0].mean(1).detach()
    assert ((profile - published.mean(0)).abs() < 5 * published.std(0)).all()


@pytest.mark.parametrize("name", ["wn", "tanh"])
def test_sal_decoder_equals_the_published_code(pack, name):
    p = pack("sal")
    network = sal_decoder(
        3, [32] * 4, skips=[2], weight_norm=name == "wn", output=AddTanh() if name == "tanh" else None
    )
    network.load_state_dict(p.state(f"{name}/"))
    x, distance = p.inputs["x"], p.inputs["unsigned_distance"]
    assert_close(network(x), p.outputs[f"{name}/out"], 1e-5, 1e-6)
    if name == "wn":
        loss = sal_loss(network(x)[:, 0], distance)["distance"]
        assert_close(loss, p.outputs["wn/sal_loss"], 1e-5, 1e-6)
        return
    network.double()
    values = network(x.double())[:, 0]
    assert_close(values, p.outputs["tanh/out_64"], 1e-9, 1e-12)
    assert_close(sum(sal_reconstruction_loss(values, values).values()), p.outputs["tanh/recon_loss"], 1e-9, 0)
    loss = sal_loss(values, distance.double())["distance"]
    assert_close(loss, p.outputs["tanh/sal_loss"], 1e-9, 0)
    loss.backward()
    assert_gradients(network, p, "tanh/")


@pytest.mark.parametrize("name", ["base", "xyz_all", "layernorm", "both", "nolatent"])
def test_deepsdf_decoder_equals_the_published_code(pack, name):
    p = pack("deepsdf_decoder")
    text = p.about["modules"][f"{name}/"]
    arguments = ast.literal_eval(text.removeprefix("Decoder(").removesuffix(")"))
    network = DeepSDFDecoder(**arguments)
    network.load_state_dict(p.state(f"{name}/"))
    network.eval()

    def output(dtype):
        inputs = {
            key: p.inputs[key].detach().to(dtype).requires_grad_()
            for key in ("code", "xyz")
            if arguments["latent_size"] or key == "xyz"
        }
        return network(torch.cat(list(inputs.values()), 1)), inputs

    assert_close(output(torch.float32)[0], p.outputs[f"{name}/out"], 1e-5, 1e-6)
    network.double()
    out, inputs = output(torch.float64)
    assert_close(out, p.outputs[f"{name}/out_64"], 1e-9, 1e-12)
    loss = cosine_sum(out)
    assert_close(loss, p.outputs[f"{name}/loss_64"], 1e-9, 1e-12)
    loss.backward()
    assert_gradients(network, p, f"{name}/")
    for key, value in inputs.items():
        assert_close(value.grad, p.outputs[f"{name}/grad_input/{key}"], 1e-5, 1e-7)


def test_full_size_deepsdf_equals_the_published_model(shared, pack):
    """Weights by the pack's recipe: a draw of the numpy generator for each key, in alphabetical order."""
    p = pack("shape_fullsize")
    network = DeepSDFDecoder()
    keys = json.loads((shared / "parity/keys/deepsdf_lamps.json").read_text())
    assert {k: list(v.shape) for k, v in network.state_dict().items()} == keys["keys"]
    assert sum(v.numel() for v in network.parameters()) == keys["n_parameters"]
    recipe = p.about["models"]["deepsdf_chairs"]

    def filled(number, key, shape):
        draw = np.random.RandomState(recipe["seed0"] + number).standard_normal(shape)
        if len(shape) > 1:
            return recipe["gain"] * draw / math.sqrt(math.prod(shape[1:]))
        return 1 + 0.1 * draw if key.endswith("weight") else 0.1 * draw

    network.load_state_dict(
        {
            key: torch.from_numpy(filled(number, key, keys["keys"][key]).astype(np.float32))
            for number, key in enumerate(sorted(keys["keys"]))
        }
    )
    network.eval()
    points = np.random.RandomState(1).uniform(-0.55, 0.55, (2, 64, 3)).astype(np.float32)[0]
    code = np.random.RandomState(7).uniform(-0.1, 0.1, (1, 256)).astype(np.float32).repeat(64, 0)
    rows = torch.from_numpy(np.concatenate([code, points], 1))
    published = p.outputs["deepsdf_chairs/out_64"]
    assert_close(network(rows), published, 1e-3, 1e-4)
    assert_close(network.double()(rows.double()), published, 1e-8, 1e-12)
