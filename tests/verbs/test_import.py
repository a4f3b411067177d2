"""Checkpoints of other programs become runs; harmful ones are refused."""

import os
import pickle

import numpy as np
import pytest
import torch

from isofield.cli import main
from isofield.networks.nerf import NeRFNetwork, NeRFWiring
from isofield.rendering.rays import Rays
from isofield.runtime.errors import InputError
from isofield.verbs.import_ import import_checkpoint
from isofield.verbs.run import open_run

WIRING = NeRFWiring(width=16, depth=6, view_width=8)
NAMES = {
    "layers": "pts_linears", "density": "alpha_linear", "feature": "feature_linear",
    "view": "views_linears.0", "colour": "rgb_linear",
}  # fmt: skip


def published(network):
    """The network's state under the authors' keys."""
    return {f"{NAMES[k.split('.', 1)[0]]}.{k.split('.', 1)[1]}": v for k, v in network.state_dict().items()}


def keras(network):
    """The network as the list that the TensorFlow code saves, kernels [in, out]."""
    names = [*(f"layers.{k}" for k in range(WIRING.depth)), "feature", "view", "colour", "density"]
    state = network.state_dict()
    arrays = [state[f"{n}.{part}"].numpy().T for n in names for part in ("weight", "bias")]
    held = np.empty(len(arrays), object)
    held[:] = arrays
    return held


@pytest.fixture
def networks():
    torch.manual_seed(0)
    return {name: NeRFNetwork(WIRING) for name in ("coarse", "fine")}


def as_tar(folder, networks):
    path = folder / "200000.tar"
    entries = {"coarse": "network_fn_state_dict", "fine": "network_fine_state_dict"}
    torch.save({"global_step": 7, **{entries[n]: published(net) for n, net in networks.items()}}, path)
    return path


def as_npy(folder, networks):
    np.save(folder / "model_000007.npy", keras(networks["coarse"]), allow_pickle=True)
    np.save(folder / "model_fine_000007.npy", keras(networks["fine"]), allow_pickle=True)
    return folder / "model_000007.npy"


def as_npz(folder, networks):
    arrays = {f"{n}/{k}": v.numpy() for n, net in networks.items() for k, v in published(net).items()}
    np.savez(folder / "weights.npz", **arrays)
    return folder


@pytest.mark.parametrize("write", [as_tar, as_npy, as_npz])
def test_every_format_gives_a_run_with_the_same_networks(tmp_path, networks, write):
    run = import_checkpoint(write(tmp_path, networks), tmp_path / "run")
    opened = open_run(run.path).method
    assert opened.config.network == WIRING
    assert (opened.config.samples, opened.config.importance) == (64, 128)
    for name, network in networks.items():
        state = getattr(opened.field, name).state_dict()
        assert all(value.equal(state[key]) for key, value in network.state_dict().items())


def test_a_single_network_is_a_coarse_one_and_renders(tmp_path, networks):
    torch.save(published(networks["coarse"]), tmp_path / "net.pth")
    run = import_checkpoint(tmp_path / "net.pth", tmp_path / "run", settings={"samples": 8})
    views = run.method.products()["views"]
    seen = views.render(Rays(torch.tensor([[0.0, -4.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])))
    assert seen.colour.isfinite().all()
    assert (views.density(torch.tensor([[9.0, 0, 0], [0, 0, 0]]))[0] == 0).item()


def test_a_fine_network_without_its_coarse_one_is_refused(tmp_path, networks):
    np.save(tmp_path / "model_fine_000007.npy", keras(networks["fine"]), allow_pickle=True)
    with pytest.raises(InputError, match="fine network alone"):
        import_checkpoint(tmp_path / "model_fine_000007.npy", tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Harm:
    """Touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("ending", [".npy", ".tar", ".npz"])
def test_a_file_that_would_run_something_is_refused_and_runs_nothing(tmp_path, ending):
    mark, path = tmp_path / "mark", tmp_path / f"model_1{ending}"
    held = np.empty(1, object)
    held[0] = Harm(mark)
    if ending == ".npy":
        np.save(path, held, allow_pickle=True)
    elif ending == ".npz":
        np.savez(path, held)
    else:
        path.write_bytes(pickle.dumps({"network_fn_state_dict": Harm(mark)}))
    with pytest.raises(InputError):
        import_checkpoint(path, tmp_path / "run")
    assert not mark.exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not a checkpoint"])
@pytest.mark.parametrize("ending", [".npy", ".tar", ".npz", ".txt"])
def test_what_is_no_checkpoint_is_refused(tmp_path, content, ending):
    path = tmp_path / f"model_1{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        import_checkpoint(path, tmp_path / "run")


def test_unknown_networks_are_refused_with_the_keys_expected(tmp_path):
    torch.save({"encoder.weight": torch.zeros(2, 2)}, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"encoder\.weight") as refused:
        import_checkpoint(tmp_path / "net.pth", tmp_path / "run")
    assert "pts_linears.0.weight" in refused.value.remedy
    assert "layers_xyz.0.weight" in refused.value.remedy


def test_missing_and_misshapen_weights_are_named(tmp_path, networks):
    state = published(networks["coarse"])
    del state["rgb_linear.bias"]
    state["feature_linear.weight"] = torch.zeros(3, 3)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(InputError, match=r"colour\.bias.*feature\.weight"):
        import_checkpoint(tmp_path / "net.pth", tmp_path / "run")


def test_the_command_says_what_it_found(tmp_path, networks, capsys):
    path = as_tar(tmp_path, networks)
    assert (
        main(["import", str(path), "--out", str(tmp_path / "run"), "--near", "1", "--background", "black"])
        == 0
    )
    assert "6 layers of 16" in capsys.readouterr().out
    config = open_run(tmp_path / "run").description["config"]
    assert (config["near"], config["far"], config["white"]) == (1, 6, False)


@pytest.mark.parametrize("name", ["lego", "fern"])
def test_the_trained_packs_become_runs(shared, tmp_path, name):
    run = import_checkpoint(shared / "parity" / "nerf_pretrained" / name, tmp_path / "run")
    c = open_run(run.path).method.config
    assert (c.network.width, c.network.feature_relu, c.samples, c.importance) == (128, True, 64, 64)
    if name == "lego":
        assert (c.near, c.far, c.white, c.ndc) == (2, 6, True, None)
    else:
        assert (c.near, c.far, c.white, c.network.point_frequencies) == (0, 1, False, 6)
        assert c.ndc == (63, 47, 50.945725)
