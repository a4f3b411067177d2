"""Cameras, lenses and rays against what the published codes compute."""

import json

import numpy as np
import pytest
import torch

from isofield.rendering.cameras import Cameras
from isofield.rendering.lenses import distort, reach, undistort
from isofield.rendering.rays import Rays, in_depths, to_ndc


def pack(shared, name):
    folder = shared / "parity" / name
    arrays = [dict(np.load(folder / f"{part}.npz")) for part in ("inputs", "outputs")]
    return json.loads((folder / "pack.json").read_text())["tolerance"], *arrays


@pytest.mark.parametrize("lens", ["mild", "strong", "fisheye"])
def test_lenses_bend_and_unbend_as_opencv(shared, lens):
    tolerance, given, published = pack(shared, "opencv_distortion")
    fisheye = np.full(63, lens == "fisheye")
    coefficients = np.zeros((63, 8))
    if lens == "fisheye":
        coefficients[:, :4] = given["fisheye/params_k1k2k3k4"]
    else:
        k1, k2, k3, k4, p1, p2 = given[f"{lens}/params_k1k2k3k4p1p2"]
        assert k4 == 0  # there it is the fourth power of r^2, which OpenCV does not have
        coefficients[:, :5] = k1, k2, p1, p2, k3
    points = np.column_stack([given["xy_undistorted"], np.ones(63)])
    bent = distort(points, coefficients, fisheye)
    assert np.allclose(bent, published[f"{lens}/xy_distorted"], **tolerance)
    back = undistort(bent, coefficients, fisheye, reach(coefficients, fisheye))
    assert np.allclose(back[:, :2] / back[:, 2:], given["xy_undistorted"], **tolerance)


def nerf_camera(pose, given):
    """A camera of the published code: OpenGL's axes, one matrix of intrinsics."""
    K, (height, width) = given["K"], given["HW"]
    return Cameras(
        (pose * [1, -1, -1, 1])[None],
        np.array([[K[0, 0], K[1, 1], K[0, 2], K[1, 2]]]),
        np.array([[width, height]]),
        np.zeros((1, 8)),
        np.zeros(1, bool),
    )


@pytest.mark.parametrize(("pose", "prefix"), [("c2w", ""), ("c2w_forward", "forward_")])
def test_rays_of_a_picture_are_those_of_nerf(shared, pose, prefix):
    tolerance, given, published = pack(shared, "nerf_rays")
    camera = nerf_camera(given[pose], given)
    rays = camera.picture_rays(0, first=0.0)
    rays = in_depths(rays, torch.from_numpy(camera.axes).float().expand(len(rays), 3))
    assert np.allclose(rays.origins, published[prefix + "rays_o"].reshape(-1, 3), **tolerance["float32"])
    assert np.allclose(rays.directions, published[prefix + "rays_d"].reshape(-1, 3), **tolerance["float32"])


def test_normalised_device_coordinates_are_those_of_nerf(shared):
    tolerance, given, published = pack(shared, "nerf_rays")
    rays = Rays(*(torch.from_numpy(published[f"forward_rays_{k}"].reshape(-1, 3)) for k in "od"))
    height, width = given["HW"]
    ndc = to_ndc(rays, int(width), int(height), float(given["K"][0, 0]), near=1.0)
    assert np.allclose(ndc.origins, published["ndc_o"].reshape(-1, 3), **tolerance["float64"])
    assert np.allclose(ndc.directions, published["ndc_d"].reshape(-1, 3), **tolerance["float64"])
