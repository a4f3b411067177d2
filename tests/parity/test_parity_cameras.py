"""Cameras, lenses and rays against what the published codes compute."""

import json
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import torch

from isofield.data.scenes import load_scene
from isofield.methods.ngp import Config
from isofield.rendering.cameras import Cameras
from isofield.rendering.conventions import CONVENTIONS, from_ours, to_ours
from isofield.rendering.lenses import distort, reach, undistort
from isofield.rendering.paths import average_pose, orbit, spiral
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


@pytest.mark.parametrize("name", ["default", "custom"])
def test_poses_in_the_unit_cube_are_those_of_instant_ngp(shared, name):
    tolerance, given, published = pack(shared, "ngp_camera")
    theirs = CONVENTIONS["instant_ngp"]
    if name == "custom":
        theirs = replace(theirs, scale=float(given["custom_scale"]), offset=tuple(given["custom_offset"]))
    ours = to_ours(given["transform_matrix"], CONVENTIONS["opengl"])
    assert np.allclose(from_ours(ours, theirs), published[f"xform_{name}"], **tolerance["float64"])
    assert np.allclose(to_ours(published[f"xform_{name}"], theirs), ours, **tolerance["float64"])


def test_rays_of_instant_ngp_are_ours(shared):
    tolerance, given, published = pack(shared, "ngp_camera")
    size, count = given["WH"], len(given["transform_matrix"])
    poses = from_ours(to_ours(given["transform_matrix"], CONVENTIONS["opengl"]), CONVENTIONS["instant_ngp"])
    intrinsics = np.tile([*given["focal"], *(given["principal"] * size)], (count, 1))
    cameras = Cameras(
        poses, intrinsics, np.tile(size, (count, 1)), np.zeros((count, 8)), np.zeros(count, bool)
    )
    for number in range(count):
        rays = cameras.rays(number, given["uv"] * size)
        assert np.allclose(rays.origins, published["origin"][number], **tolerance["float32"])
        assert np.allclose(rays.directions, published["rays_d_normalised"][number], **tolerance["float32"])


def test_the_box_of_a_file_fills_the_unit_cube_of_instant_ngp(shared, tmp_path):
    tolerance, given, published = pack(shared, "ngp_camera")
    for number in range(3):
        PIL.Image.new("RGB", (16, 12)).save(tmp_path / f"{number}.png")
    frames = [
        {"file_path": f"{number}.png", "transform_matrix": [*pose.tolist(), [0, 0, 0, 1]]}
        for number, pose in enumerate(given["transform_matrix"][:3])
    ]
    content = {"fl_x": 10, "w": 16, "h": 12, "aabb": given["aabb"].tolist(), "frames": frames}
    (tmp_path / "transforms.json").write_text(json.dumps(content))
    scene = load_scene(tmp_path)
    config = Config(cascades=1).for_data(scene)
    assert np.allclose([scene.box.lower, scene.box.upper], given["aabb"], **tolerance["float64"])
    assert np.allclose(1 / config.side, published["aabb_scale_value"], **tolerance["float64"])
    offset = -np.array(config.lower) / config.side
    assert np.allclose(offset, published["aabb_offset"], **tolerance["float64"])


@pytest.mark.parametrize("scene", ["forward", "sphere"])
def test_the_average_camera_is_that_of_nerf(shared, scene):
    tolerance, _, published = pack(shared, "nerf_llff_poses")
    poses = to_ours(published[f"{scene}/f64_reordered"][:, :, :4], CONVENTIONS["opengl"])
    average = from_ours(average_pose(poses)[None], CONVENTIONS["opengl"])[0]
    assert np.allclose(average, published[f"{scene}/f64_average"][:, :4], **tolerance["f64"])


@pytest.mark.parametrize("scene", ["forward", "sphere"])
def test_columns_of_llff_are_reordered_as_published(shared, scene):
    tolerance, given, published = pack(shared, "nerf_llff_poses")
    stored = given[f"{scene}/poses_bounds"][:, :15].reshape(-1, 3, 5)[:, :, :4]
    reordered = from_ours(to_ours(stored, CONVENTIONS["llff"]), CONVENTIONS["opengl"])
    assert np.allclose(reordered, published[f"{scene}/f64_reordered"][:, :, :4], **tolerance["f64"])


def test_the_spiral_is_that_of_nerf(shared):
    tolerance, _, published = pack(shared, "nerf_llff_poses")
    bounds = published["forward/bounds"].astype(np.float64)
    poses = to_ours(published["forward/poses"][:, :, :4].astype(np.float64), CONVENTIONS["opengl"])
    path = from_ours(spiral(poses, bounds.min(), bounds.max()), CONVENTIONS["opengl"])
    assert np.allclose(path, published["forward/render_poses"][:, :, :4], **tolerance["reader"])


def test_the_path_on_a_sphere_is_an_orbit(shared):
    """The published one ends on its first pose again."""
    tolerance, _, published = pack(shared, "nerf_llff_poses")
    for scene in ("forward", "sphere"):
        centres = published[f"{scene}/f64_spherified"][:, :, 3]
        radius = np.sqrt((centres**2).sum(axis=1).mean())
        elevation = np.arcsin(centres[:, 2].mean() / radius)
        z, x = np.array([0.0, 0, 1]), np.array([1.0, 0, 0])
        path = orbit(np.zeros(3), z, x, radius, elevation, 119)
        path = from_ours(np.concatenate([path, path[:1]]), CONVENTIONS["opengl"])
        assert np.allclose(path, published[f"{scene}/f64_sphere_path"][:, :, :4], **tolerance["f64"])
