"""What this machine can do: versions, memory, threads, and the kernels with their speed."""

import platform
import time
from importlib import metadata
from typing import Any

import numpy as np
import torch

from .. import __version__
from ..data.scene import Box, Photographs, Scene
from ..extraction.surface import extract_surface
from ..geometry.certificate import certify
from ..geometry.level import Below
from ..geometry.mesh import Mesh
from ..geometry.oriented_points import OrientedPoints
from ..geometry.solid import Solid
from ..kernels import bvh
from ..kernels.adam import Adam
from ..kernels.hashgrid import encode
from ..methods.ngp import NGP, Config
from ..metrics.shape import compare_meshes
from ..networks.hash_grid import GridNetwork, HashGrid, PlaneHashGrid
from ..rendering.cameras import looking_at, pinholes
from ..runtime.memory import available_memory, size_text
from ..runtime.progress import say
from ..runtime.threads import available_cores, threads
from ..training.clock import Budget, Clock
from ..training.loop import train
from ..viewing.picture import draw_mesh

__all__ = ["doctor"]


def doctor(measure: bool = True) -> dict[str, Any]:
    """Facts by name. Compiles the kernels of fits of shapes, pictures and scenes into the cache; with
    `measure`, times them too."""
    say("compiling kernels (once) ...")
    start = time.perf_counter()
    _touch_every_kernel()
    seconds = time.perf_counter() - start
    facts: dict[str, Any] = {
        "isofield": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": ", ".join(
            f"{name} {metadata.version(name)}" for name in ("torch", "numpy", "numba", "scipy", "trimesh")
        ),
        "cores": f"{available_cores()}, {threads()} threads in use",
        "memory": f"{size_text(available_memory())} free",
        "kernels": f"numba, ready after {seconds:.1f} s",
        "gpu": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none (none is needed)",
    }
    return {**facts, **_speeds()} if measure else facts


def _touch_every_kernel() -> None:
    def ball(points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - 0.5

    mesh = extract_surface(ball, Below(), 32, coarse=8).mesh
    certify(mesh)
    compare_meshes(mesh, mesh, samples=1000)
    directions = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    OrientedPoints(mesh.vertices, directions).signed_distance(mesh.vertices[:100] * 1.5, 0.1)
    half = Mesh(mesh.vertices, mesh.faces[: len(mesh.faces) // 2])
    Solid(half).signed_distance(mesh.vertices[:100], 0.1)
    draw_mesh(half.vertices, half.faces, size=32)
    _train_step(GridNetwork(HashGrid(levels=2, finest=32)), torch.rand(128, 3))
    _train_step(GridNetwork(PlaneHashGrid(2, 4, 16, 200)), torch.rand(128, 2))
    _touch_kernels_of_scenes()


def _touch_kernels_of_scenes() -> None:
    places = np.array([[4.0, 0, 0], [0, 4, 0], [-4, 0, 0], [0, -4, 0]])
    poses = np.array([looking_at(place, np.zeros(3), np.array([0.0, 0, 1])) for place in places])
    cameras = pinholes(poses, 20.0, (16, 16))
    photographs = Photographs(np.full((4 * 256, 4), 255, np.uint8), 256 * np.arange(5), cameras.sizes)
    box, frames = Box((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)), np.arange(4)
    scene = Scene("grey", tuple("abcd"), cameras, photographs, frames[1:], frames[:1], box, False)
    method = NGP(Config(samples=1024, log2_table=8, finest=32).for_data(scene))
    method.prepare(scene, 0)
    train(method, Clock(Budget(steps=1)), [])
    method.metric()


def _train_step(network: GridNetwork, points: torch.Tensor) -> None:
    network(points).square().mean().backward()
    Adam(network.parameters()).step()


def _speeds() -> dict[str, str]:
    generator = np.random.default_rng(0)
    points = torch.from_numpy(generator.uniform(-1, 1, (131_072, 3)).astype(np.float32))
    network = GridNetwork(HashGrid())
    optimiser = Adam(network.parameters())

    def step() -> None:
        optimiser.zero_grad()
        network(points).square().mean().backward()
        optimiser.step()

    sphere = extract_surface(lambda p: p.norm(dim=1) - 0.5, Below(), 64).mesh
    tree = bvh.build(sphere.vertices, sphere.faces)
    work = {
        "hash grid": lambda: encode(0.5 * points + 0.5, network.grid.table.detach(), network.grid.levels),
        "training step": step,
        "nearest point": lambda: bvh.nearest(tree, points.numpy()),
        "winding number": lambda: bvh.winding_number(tree, points.numpy()),
    }
    return {
        name: f"{len(points) / _best(call) / 1e6:.1f} million points a second" for name, call in work.items()
    }


def _best(call, repeats: int = 5) -> float:
    call()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best
