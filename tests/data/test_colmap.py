"""COLMAP's models: what is read of them, and what is refused."""

import shutil
import struct

import numpy as np
import pytest

from isofield.data.scenes.colmap import read_model
from isofield.runtime.errors import InputError


def colmap_binary(folder, shared):
    shutil.copytree(shared / "parity" / "colmap_model" / "binary", folder, dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize("form", ["text", "binary"])
def test_parity_colmap_poses(shared, form):
    pack = shared / "parity" / "colmap_model"
    outputs = np.load(pack / "outputs.npz")
    model = read_model(pack / form)
    order = [1, 0, 2, 3]  # the pack goes by ids, a model by names
    expected = outputs["camera_to_world_opencv"][order, :3]
    np.testing.assert_allclose(model.poses, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.sort(model.points, axis=0), np.sort(outputs["xyz"], axis=0), rtol=1e-12)


def test_truncated_and_fuzzed_colmap_binaries_end_in_a_model_or_an_input_error(tmp_path, shared):
    noise, refused = np.random.default_rng(0), []
    folder = colmap_binary(tmp_path / "model", shared)
    for name in ("cameras.bin", "images.bin", "points3D.bin"):
        whole = (folder / name).read_bytes()
        for trial in range(150):
            content = bytearray(whole[: noise.integers(0, len(whole))] if trial % 2 else whole)
            for _ in range(trial % 4):
                if len(content) > 8:
                    at = noise.integers(0, len(content) - 8)
                    content[at : at + 8] = noise.choice(
                        [b"\xff" * 8, bytes(8), struct.pack("<Q", 1 << 40), noise.bytes(8)]
                    )
            (folder / name).write_bytes(content)
            try:
                read_model(folder)
            except InputError as error:
                refused.append(error.remedy)
        (folder / name).write_bytes(whole[:-5])
        with pytest.raises(InputError, match=r"too early|ends within"):
            read_model(folder)
        (folder / name).write_bytes(whole)
    assert all(refused)


def test_unknown_camera_model_is_refused(tmp_path, shared):
    folder = colmap_binary(tmp_path / "model", shared)
    content = bytearray((folder / "cameras.bin").read_bytes())
    content[12:16] = struct.pack("<i", 16)
    (folder / "cameras.bin").write_bytes(content)
    with pytest.raises(InputError, match="unknown camera model 16"):
        read_model(folder)
