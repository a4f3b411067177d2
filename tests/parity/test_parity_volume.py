"""Volume rendering against the published codes."""

import json

import numpy as np
import pytest
import torch

from isofield.kernels import composite as packed
from isofield.kernels.composite import (
    VISIBLE,
    packed_distortion,
    packed_opacities,
    packed_sums,
    packed_transmittance,
    packed_weights,
    rays_of_samples,
)
from isofield.rendering.sampling import importance_depths
from isofield.rendering.volume import (
    Rendered,
    composite,
    compositing_weights,
    disparity,
    interval_lengths,
    sample_opacities,
)


@pytest.fixture
def pack(shared):
    """(inputs as float64 tensors, whole numbers as they are; outputs; tolerances) of the pack of a name."""

    def read(name):
        folder = shared / "parity" / name
        arrays = [
            {
                key: torch.from_numpy(np.array(value)).to(
                    torch.float64 if value.dtype.kind == "f" else torch.int64
                )
                for key, value in np.load(folder / f"{part}.npz").items()
            }
            for part in ("inputs", "outputs")
        ]
        return *arrays, json.loads((folder / "pack.json").read_text())["tolerance"]

    return read


@pytest.mark.parametrize(("name", "background"), [("black", 0.0), ("white", 1.0)])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_compositing_equals_the_published_code(pack, name, background, precision):
    given, published, tolerance = pack("nerf_composite")
    kind = getattr(torch, precision)
    raw, depths, directions = (given[key].to(kind).requires_grad_() for key in ("raw", "z_vals", "rays_d"))
    lengths = interval_lengths(depths, directions)
    weights = compositing_weights(sample_opacities(raw[..., 3], lengths))
    seen = composite(weights, raw[..., :3].sigmoid(), depths)
    colour = seen.over(background)
    loss = (colour * given["c_rgb"]).sum() + (seen.distance * given["c_depth"]).sum()
    loss = loss + (seen.opacity * given["c_acc"]).sum()
    loss.backward()
    seen = Rendered(*(each.detach() for each in vars(seen).values()))
    ours = {
        "rgb": colour, "weights": weights, "depth": seen.distance, "acc": seen.opacity, "loss": loss,
        "grad_raw": raw.grad, "grad_z": depths.grad, "grad_rays_d": directions.grad,
        "disp": torch.where(seen.opacity > 0, disparity(seen), torch.nan),  # the empty ray: theirs is NaN
    }  # fmt: skip
    for key, value in ours.items():
        torch.testing.assert_close(
            value.detach(), published[f"{name}/{key}"].to(value.dtype), **tolerance[precision], equal_nan=True
        )


def test_inverse_sampling_equals_the_published_code(pack):
    given, published, tolerance = pack("nerf_sample_pdf")
    even = torch.linspace(0, 1, 24, dtype=torch.float64).expand(10, 24)
    for name, uniform in (("det", even), ("random", given["u"])):
        drawn = importance_depths(given["bins"], given["weights"], uniform)
        torch.testing.assert_close(drawn, published[name], **tolerance["float64"])


def test_packed_compositing_equals_the_published_code(pack):
    given, published, tolerance = pack("packed_composite")
    density, colours = given["sigmas"].requires_grad_(), given["rgbs"].requires_grad_()
    lengths = given["t_ends"] - given["t_starts"]
    middle = (given["t_ends"] + given["t_starts"]) / 2
    first = torch.cat([torch.zeros(1, dtype=torch.int64), given["counts"].cumsum(0)])
    assert rays_of_samples(first).equal(given["ray_indices"])
    passing = packed_transmittance(density, lengths, first)
    weights = packed_weights(density, lengths, first)
    opacity = packed_sums(weights[:, None], first)
    colour = packed_sums(weights[:, None] * colours, first) + given["background"] * (1 - opacity)
    accumulated = packed_sums((weights * middle)[:, None], first)
    depth = accumulated / opacity.clamp(min=torch.finfo(torch.float64).eps)
    loss = (colour * given["c_color"]).sum() + (opacity * given["c_opacity"]).sum()
    loss = loss + (depth * given["c_depth"]).sum()
    loss.backward()
    from_alpha = packed_weights(-torch.log1p(-given["alphas"]), torch.ones_like(lengths), first)
    ours = {
        "weights": weights, "trans": passing, "alphas": packed_opacities(density, lengths), "color": colour,
        "opacity": opacity, "depth": depth, "depth_accumulated": accumulated, "loss": loss,
        "grad_sigmas": density.grad, "grad_rgbs": colours.grad, "visible_1e4": (passing >= VISIBLE).long(),
        "distortion": packed_distortion(weights, middle, lengths, first), "weights_from_alpha": from_alpha,
    }  # fmt: skip
    assert set(ours) == set(published)
    for key, value in ours.items():
        expected = published[key].to(value.dtype)
        torch.testing.assert_close(value.detach(), expected, **tolerance["float64"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_rays_of_packed_samples_equal_the_published_code(pack, precision):
    given, published, tolerance = pack("packed_composite")
    kind = getattr(torch, precision)
    start, end, density, colours = (given[key].to(kind) for key in ("t_starts", "t_ends", "sigmas", "rgbs"))
    density, colours = density.requires_grad_(), colours.requires_grad_()
    first = torch.cat([torch.zeros(1, dtype=torch.int64), given["counts"].cumsum(0)])
    colour, opacity, distance = packed.composite(density, colours, end - start, (start + end) / 2, first)
    colour = colour + given["background"].to(kind) * (1 - opacity)[:, None]
    depth = distance / opacity.clamp(min=torch.finfo(torch.float64).eps)
    loss = (colour * given["c_color"]).sum() + (opacity * given["c_opacity"][:, 0]).sum()
    (loss + (depth * given["c_depth"][:, 0]).sum()).backward()
    ours = {
        "color": colour, "opacity": opacity[:, None], "depth_accumulated": distance[:, None],
        "depth": depth[:, None], "grad_sigmas": density.grad, "grad_rgbs": colours.grad,
    }  # fmt: skip
    for key, value in ours.items():
        torch.testing.assert_close(value.detach(), published[key].to(kind), **tolerance[precision])
