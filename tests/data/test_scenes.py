"""Scenes: what each format means, what is refused, and what pictures become."""

import json
import stat
import struct
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from isofield.data import Scene, load, load_scene
from isofield.data import photographs as decoding
from isofield.data.scene import cameras_of
from isofield.data.scenes.colmap import read_model
from isofield.data.scenes.llff import llff_cameras, spherified
from isofield.data.scenes.posed import decomposed, focus
from isofield.rendering.forward_facing import recentring
from isofield.runtime.errors import InputError

SIZE = 24
JUNK = [b"\xff" * 8, bytes(8), struct.pack("<Q", 1 << 40), struct.pack("<d", np.nan), b"8 bytes."]


def looking_at_origin(number):
    """A camera-to-world matrix with OpenGL's axes, 4 from the origin, that looks there."""
    angle = 0.7 * number
    back = np.array([np.cos(angle), np.sin(angle), 0.3]) / np.hypot(1, 0.3)
    right = np.cross([0, 0, 1], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.stack([right, np.cross(back, right), back, 4 * back], axis=1)
    return pose


def picture(number, channels=3, size=(SIZE, SIZE)):
    noise = np.random.default_rng(number)
    return noise.integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)


def frame(number):
    return {"file_path": f"images/{number}.png", "transform_matrix": looking_at_origin(number).tolist()}


def write_nerfstudio(folder, count=10, **more):
    (folder / "images").mkdir(exist_ok=True)
    for number in range(count):
        PIL.Image.fromarray(picture(number)).save(folder / "images" / f"{number}.png")
    content = {"fl_x": 20.0, "frames": [frame(number) for number in range(count)]} | more
    (folder / "transforms.json").write_text(json.dumps(content))
    return folder


def rewrite(folder, change):
    path = folder / "transforms.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def write_blender(folder):
    for part, count in (("train", 4), ("test", 2)):
        (folder / part).mkdir()
        frames = []
        for number in range(count):
            PIL.Image.fromarray(picture(number, 4)).save(folder / part / f"r_{number}.png")
            matrix = looking_at_origin(number).tolist()
            frames.append({"file_path": f"./{part}/r_{number}", "transform_matrix": matrix})
            PIL.Image.fromarray(picture(9, 1)[..., 0]).save(folder / part / f"r_{number}_depth_0001.png")
        content = {"camera_angle_x": 0.8, "frames": frames}
        (folder / f"transforms_{part}.json").write_text(json.dumps(content))
    return folder


def test_blender_frames_are_those_of_the_files_with_opengl_axes_turned(tmp_path):
    scene = load(write_blender(tmp_path))
    assert isinstance(scene, Scene)
    assert scene.train.tolist() == [0, 1, 2, 3]
    assert scene.test.tolist() == [4, 5]
    assert scene.names[4] == "./test/r_0"
    np.testing.assert_allclose(scene.cameras.poses[1], (looking_at_origin(1) * [1, -1, -1, 1])[:3])
    np.testing.assert_allclose(scene.cameras.intrinsics[0], [12 / np.tan(0.4)] * 2 + [12, 12])
    np.testing.assert_allclose(focus(scene.cameras.poses), 0, atol=1e-12)
    assert (scene.box.lower, scene.box.upper) == ((-1.5,) * 3, (1.5,) * 3)
    assert (scene.near, scene.far, scene.unbounded) == (2.0, 6.0, False)


@pytest.mark.parametrize("downscale", [1, 2, 3])
def test_pictures_are_means_of_premultiplied_blocks_rounded_once(tmp_path, downscale):
    scene = load_scene(write_blender(tmp_path), downscale)
    given = picture(2, 4).astype(float) / 255
    given[..., :3] *= given[..., 3:]
    side = SIZE // downscale
    cut = given[: side * downscale, : side * downscale].reshape(side, downscale, side, downscale, 4)
    expected = cut.mean(axis=(1, 3)) * 255
    assert np.abs(scene.photographs.picture(2) - expected).max() <= 0.5 + 1e-9
    np.testing.assert_allclose(scene.cameras.intrinsics[0, 2:], SIZE / 2 / downscale)


def test_described_scene_gives_its_cameras_back(tmp_path):
    scene = load(write_nerfstudio(tmp_path, k1=0.1, p1=0.01))
    said = json.loads(json.dumps(scene.described()))
    cameras = cameras_of(said)
    for name in ("poses", "intrinsics", "sizes", "distortion", "fisheye"):
        np.testing.assert_array_equal(getattr(cameras, name), getattr(scene.cameras, name))
    assert said["channels"] == 3


def test_fingerprint_follows_pictures_cameras_and_scale_but_not_the_test_views(tmp_path):
    folder = write_nerfstudio(tmp_path)
    first = load_scene(folder, holdout=5).fingerprint
    assert load_scene(folder, holdout=5, test_views=False).fingerprint == first
    rewrite(folder, lambda content: content.update(fl_x=21))
    second = load_scene(folder, holdout=5).fingerprint
    PIL.Image.fromarray(picture(77)).save(folder / "images" / "3.png")
    assert (
        len({first, second, load_scene(folder, holdout=5).fingerprint, load_scene(folder).fingerprint}) == 4
    )


def test_holdout_keeps_regular_frames_and_leaves_their_pictures_undecoded_when_asked(tmp_path):
    scene = load_scene(write_nerfstudio(tmp_path), holdout=4, test_views=False)
    assert scene.test.tolist() == [0, 4, 8]
    assert scene.photographs.picture(4).size == 0
    np.testing.assert_array_equal(scene.photographs.picture(5), picture(5))


def test_split_of_the_file_wins(tmp_path):
    names = [f"images/{number}.png" for number in range(10)]
    scene = load(write_nerfstudio(tmp_path, train_filenames=names[:7], val_filenames=names[7:]))
    assert (len(scene.train), scene.test.tolist()) == (7, [7, 8, 9])


def test_one_list_of_names_leaves_the_other_frames_to_the_other(tmp_path):
    names = [f"images/{number}.png" for number in range(10)]
    for learnt in ({"test_filenames": names[7:]}, {"train_filenames": names[:7]}):
        scene = load(write_nerfstudio(tmp_path, **learnt))
        assert (len(scene.train), scene.test.tolist()) == (7, [7, 8, 9])


def test_holdout_is_for_training_frames_alone_too(tmp_path):
    (write_blender(tmp_path) / "transforms_test.json").unlink()
    scene = load_scene(tmp_path, holdout=2)
    assert (scene.train.tolist(), scene.test.tolist()) == ([1, 3], [0, 2])


def test_a_focal_length_of_a_frame_wins_over_that_of_the_file_whatever_its_unit(tmp_path):
    folder = write_nerfstudio(tmp_path)
    rewrite(folder, lambda content: content["frames"][3].update(camera_angle_x=1.0))
    focal = load(folder).cameras.intrinsics[:, 0]
    assert focal[3] == pytest.approx(SIZE / 2 / np.tan(0.5))
    assert focal[4] == 20


def test_instant_ngp_reads_degrees_before_pixels_before_radians(tmp_path):
    folder = write_nerfstudio(tmp_path, x_fov=90.0, camera_angle_y=0.8, w=48.0, h=48.0, cx=20.0)
    scene = load(folder)  # intrinsics are of pictures twice as large
    np.testing.assert_allclose(scene.cameras.intrinsics[0], [12, 12 / np.tan(0.4), 10, 12])


def test_box_of_instant_ngp_is_its_unit_cube_in_the_files_coordinates(tmp_path):
    scene = load(write_nerfstudio(tmp_path, scale=0.25, offset=[0.5, 0.25, 0.5], aabb_scale=2))
    np.testing.assert_allclose([scene.box.lower, scene.box.upper], [[-2, -1, -2], [2, 3, 2]])
    scene = load(write_nerfstudio(tmp_path, aabb=[[-1, -2, -3], [1, 2, 3]]))
    assert scene.box.upper == (1.0, 2.0, 3.0)


def test_box_without_any_is_what_the_cameras_look_at(tmp_path):
    scene = load(write_nerfstudio(tmp_path))
    np.testing.assert_allclose(scene.box.upper, [4 * 12 / 20] * 3)
    assert scene.unbounded


def test_mask_says_which_pixels_count(tmp_path):
    folder = write_nerfstudio(tmp_path)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[:6] = 255
    PIL.Image.fromarray(mask).save(folder / "mask.png")
    rewrite(folder, lambda content: content["frames"][1].update(mask_path="mask.png"))
    scene = load(folder)
    photographs = scene.photographs
    assert photographs.counted is not None
    np.testing.assert_array_equal(
        photographs.counted[photographs.starts[1] : photographs.starts[2]], mask.ravel() > 0
    )
    assert photographs.counted[: photographs.starts[1]].all()
    assert any("Masks keep" in note for note in scene.notes)


def test_absent_pictures_are_named_and_left_out(tmp_path):
    folder = write_nerfstudio(tmp_path)
    (folder / "images" / "3.png").unlink()
    scene = load(folder)
    assert len(scene.cameras) == 9
    assert any("1 of 10 frames" in note and "images/3.png" in note for note in scene.notes)


def test_grey_palette_and_16_bit_pictures_become_8_bit_colour(tmp_path):
    folder = write_nerfstudio(tmp_path)
    grey = picture(0, 1)[..., 0]
    PIL.Image.fromarray(grey).save(folder / "images" / "0.png")
    PIL.Image.fromarray(grey.astype(np.uint16) * 257 + 100).save(folder / "images" / "1.png")
    PIL.Image.fromarray(picture(2)).quantize(16).save(folder / "images" / "2.png")
    scene = load(folder)
    np.testing.assert_array_equal(scene.photographs.picture(0), np.repeat(grey[..., None], 3, 2))
    deep = np.round((grey.astype(float) * 257 + 100).clip(0, 65535) / 257) if grey.max() < 255 else None
    if deep is not None:
        np.testing.assert_array_equal(scene.photographs.picture(1)[..., 0], deep)
    assert any("16 bits, rounded to 8" in note for note in scene.notes)


def test_turned_photograph_stays_as_stored_unless_the_declared_size_is_the_upright_one(tmp_path):
    folder = write_nerfstudio(tmp_path, count=1)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.fromarray(picture(0, size=(16, 12))).save(folder / "images" / "0.png", exif=exif)
    stored = load(folder)
    assert stored.cameras.sizes.tolist() == [[16, 12]]
    rewrite(folder, lambda content: content.update(w=12, h=16))
    upright = load(folder)
    assert upright.cameras.sizes.tolist() == [[12, 16]]
    turned = picture(0, size=(16, 12))[::-1].swapaxes(0, 1)
    np.testing.assert_array_equal(upright.photographs.picture(0), turned)


def test_opaque_alpha_is_dropped(tmp_path):
    folder = write_nerfstudio(tmp_path, count=3)
    opaque = np.dstack([picture(1), np.full((SIZE, SIZE), 255, np.uint8)])
    PIL.Image.fromarray(opaque).save(folder / "images" / "1.png")
    scene = load(folder)
    assert not scene.has_alpha
    np.testing.assert_array_equal(scene.photographs.picture(1), picture(1))


def test_pictures_beyond_the_memory_lie_in_a_file_and_are_the_same(tmp_path, monkeypatch):
    folder = write_nerfstudio(tmp_path)
    in_memory = load(folder).photographs
    monkeypatch.setattr(decoding, "available_memory", lambda: 100)
    monkeypatch.setattr(decoding.tempfile, "tempdir", str(tmp_path))
    mapped = load(folder).photographs
    assert isinstance(mapped.pixels, np.memmap)
    np.testing.assert_array_equal(mapped.pixels, in_memory.pixels)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["images", "transforms.json"]


def test_nearly_orthonormal_pose_is_mended_and_said(tmp_path):
    folder = write_nerfstudio(tmp_path)
    rewrite(
        folder,
        lambda c: c["frames"][2]["transform_matrix"][0].__setitem__(0, looking_at_origin(2)[0, 0] + 2e-3),
    )
    scene = load(folder)
    rotation = scene.cameras.poses[2, :, :3]
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-12)
    assert any("mended" in note and "images/2.png" in note for note in scene.notes)


def _scaled(content):
    content["frames"][2]["transform_matrix"] = (2 * looking_at_origin(2)).tolist()


def _not_a_number(content):
    content["frames"][2]["transform_matrix"][1][3] = float("nan")


def _mirrored(content):
    content["frames"][2]["transform_matrix"] = (looking_at_origin(2) * [-1, 1, 1, 1]).tolist()


BAD = {
    "scaled pose": (_scaled, r"images/2\.png is not a rotation"),
    "mirrored pose": (_mirrored, r"images/2\.png .* reflection"),
    "NaN": (_not_a_number, r"images/2\.png has numbers that are not finite"),
    "no frames": (lambda content: content.update(frames=[]), "has no frames"),
    "frames of another kind": (lambda content: content.update(frames={"a": 1}), 'no list "frames"'),
    "no pictures": (lambda c: [f.update(file_path="x.png") for f in c["frames"]], "none of the 10 pictures"),
    "another aspect": (
        lambda content: content.update(w=100, h=50),
        "24 x 24 pixels, transforms.json says 100 x 50",
    ),
    "no focal length": (lambda content: content.pop("fl_x"), "gives no focal length"),
    "a text for a number": (lambda content: content.update(fl_x="20"), "fl_x is '20', not a number"),
    "another lens": (lambda content: content.update(camera_model="EQUIRECTANGULAR"), "EQUIRECTANGULAR"),
    "a half matrix": (lambda c: c["frames"][0].update(transform_matrix=[[1, 2]]), "4 x 4 numbers"),
    "a box inside out": (lambda content: content.update(aabb=[[1, 1, 1], [0, 0, 0]]), "not a box"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_transforms_are_refused_with_what_where_and_advice(tmp_path, name):
    change, said = BAD[name]
    folder = write_nerfstudio(tmp_path)
    rewrite(folder, change)
    with pytest.raises(InputError, match=said) as caught:
        load(folder)
    assert str(tmp_path) in caught.value.where
    assert caught.value.remedy


def test_truncated_picture_is_named(tmp_path):
    folder = write_nerfstudio(tmp_path)
    path = folder / "images" / "4.png"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(InputError, match=r"4\.png.*(damaged|cut short)"):
        load(folder)


def test_a_hundred_megabytes_of_junk_are_refused_unread(tmp_path):
    path = tmp_path / "transforms.json"
    with open(path, "wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(InputError, match="100 MiB"):
        load(tmp_path)
    path.write_text("[" * 200_000)
    with pytest.raises(InputError, match="not JSON"):
        load(tmp_path)


def test_photographs_alone_say_how_to_get_cameras(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for number in range(4):
        PIL.Image.fromarray(picture(number)).save(tmp_path / f"{number}.jpg")
    with pytest.raises(InputError, match=r"4 photographs(.|\n)*apt install colmap(.|\n)*transforms\.json"):
        load(tmp_path)


def test_colmap_is_run_on_photographs_alone_and_its_model_read(tmp_path, monkeypatch, shared):
    """A program that answers as COLMAP does, with the model of a parity pack."""
    model = shared / "parity" / "colmap_model" / "text"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "colmap"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n'
        '[ "$2" = --help ] && echo "  --SiftExtraction.use_gpu arg (=1)"\n'
        f'[ "$1" = mapper ] && [ "$2" != --help ] && mkdir -p "$7/0" && cp {model}/* "$7/0"\nexit 0\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    folder = tmp_path / "photos"
    folder.mkdir()
    read = read_model(model)
    for name, (_, width, height, _) in zip(read.names, read.lenses, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(picture(1, size=(width, height))).save(folder / name)
    scene = load(folder)
    assert scene.names == read.names
    called = (tmp_path / "called").read_text()
    assert "feature_extractor --database_path" in called
    assert "--SiftExtraction.use_gpu 0" in called
    assert "exhaustive_matcher" in called


def recentred(poses):
    motion = recentring(poses, 1.0)
    moved = motion[:, :3] @ poses
    moved[:, :, 3] += motion[:, 3]
    return moved


@pytest.mark.parametrize("name", ["forward", "sphere"])
def test_parity_llff_poses(tmp_path, shared, name):
    pack = shared / "parity" / "nerf_llff_poses"
    inputs, outputs = np.load(pack / "inputs.npz"), np.load(pack / "outputs.npz")
    np.save(tmp_path / "poses_bounds.npy", inputs[f"{name}/poses_bounds"])
    poses, _, bounds = llff_cameras(tmp_path / "poses_bounds.npy")
    opengl = np.array([1, -1, -1, 1])

    def close(ours, key):
        expected = outputs[f"{name}/{key}"]
        np.testing.assert_allclose(ours, expected[..., : ours.shape[-1]], rtol=1e-9, atol=1e-10)

    close(poses * opengl, "f64_reordered")
    central = recentred(poses)
    close(central * opengl, "f64_recentred")
    round_poses, similarity = spherified(central)
    close(round_poses * opengl, "f64_spherified")
    close(bounds * np.linalg.norm(similarity[0, :3]), "f64_sphere_bounds")

    # the whole reader, in float32: scaled, recentred and, of cameras that look inwards, spherified
    poses[:, :, 3] /= 0.75 * bounds.min()
    whole = recentred(poses)
    whole = spherified(whole)[0] if name == "sphere" else whole
    expected = outputs[f"{name}/poses"][:, :, :4]
    np.testing.assert_allclose(whole * opengl, expected, rtol=1e-4, atol=1e-5)


def test_fuzzed_poses_bounds_end_in_cameras_or_an_input_error(tmp_path):
    noise, refused = np.random.default_rng(1), []
    path = tmp_path / "poses_bounds.npy"
    np.save(path, np.abs(noise.normal(size=(5, 17))) + np.eye(17)[16] * 9)
    whole = path.read_bytes()
    for trial in range(300):
        content = bytearray(whole[: noise.integers(0, len(whole))] if trial % 3 == 0 else whole)
        for _ in range(trial % 5):
            if content:
                content[noise.integers(0, min(len(content), 200))] = noise.integers(0, 256)
        path.write_bytes(content)
        try:
            llff_cameras(path)
        except InputError as error:
            refused.append(error.remedy)
    assert all(refused)


def test_llff_rows_and_pictures_must_be_as_many(tmp_path):
    rows = np.zeros((3, 17))
    rows[:, :15] = np.column_stack([np.eye(3)[:, [1, 0, 2]] * [1, 1, -1], np.zeros(3), [48, 48, 60]]).ravel()
    rows[:, 15:] = 1, 5
    np.save(tmp_path / "poses_bounds.npy", rows)
    (tmp_path / "images_2").mkdir()
    for number in range(2):
        PIL.Image.fromarray(picture(number)).save(tmp_path / "images_2" / f"{number}.png")
    with pytest.raises(InputError, match=r"has 3 rows.*images_2 holds 2"):
        load(tmp_path)
    PIL.Image.fromarray(picture(2)).save(tmp_path / "images_2" / "2.png")
    scene = load(tmp_path)
    assert scene.test.tolist() == [0]
    np.testing.assert_allclose(scene.cameras.intrinsics[0], [30, 30, 12, 12])
    assert (scene.near, scene.far, scene.forward_facing) == (1.0, 5.0, True)


def test_projection_comes_apart_into_what_it_was_made_of():
    pose = (looking_at_origin(3) * [1, -1, -1, 1])[:3]
    k = np.array([[700.0, 0, 310], [0, 690, 250], [0, 0, 1]])
    projection = k @ np.linalg.inv(np.vstack([pose, [0, 0, 0, 1]]))[:3]
    for factor in (1, -3.5, 1e-3):
        lens, found = decomposed(factor * projection, "a", Path("b"))
        np.testing.assert_allclose(lens, [700, 690, 310, 250], rtol=1e-9)
        np.testing.assert_allclose(found, pose, atol=1e-9)


@pytest.mark.parametrize(
    ("path", "frames", "tests", "forward"),
    [
        ("nerf/fox", 50, 7, False),
        ("llff/fern", 20, 3, True),
        ("llff/fern/sparse/0", 20, 3, False),
        ("dtu/scan65", 49, 7, False),
        ("middlebury/templeSparseRing", 16, 2, False),
        ("llff/fern/transforms_mixed.json", 20, 3, False),
    ],
)
def test_real_scenes_are_read_and_lie_before_their_cameras(shared, path, frames, tests, forward):
    scene = load_scene(shared / "data" / path, 4, 8)
    assert (len(scene.names), len(scene.test), scene.forward_facing) == (frames, tests, forward)
    middle = (np.array(scene.box.lower) + scene.box.upper) / 2
    ahead = np.einsum("nk,nk->n", middle - scene.cameras.centres, scene.cameras.poses[:, :, 2])
    assert (ahead > 0).all()


def test_text_and_binary_of_one_real_model_are_equal(shared):
    binary, text = (
        read_model(shared / "data" / "llff" / "fern" / name) for name in ("sparse/0", "sparse_text")
    )
    np.testing.assert_array_equal(binary.poses, text.poses)
    np.testing.assert_array_equal(np.sort(binary.points, axis=0), np.sort(text.points, axis=0))
    assert (binary.names, binary.lenses) == (text.names, text.lenses)
