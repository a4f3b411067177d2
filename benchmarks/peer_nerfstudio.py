"""nerfstudio's nerfacto on the CPU for so many seconds, and its test views: a program for a Python that has
nerfstudio (`pip install nerfstudio`), not isofield. Prints one line of JSON.

The method is nerfacto in its pure-torch implementation, by nerfstudio's own Trainer, data manager, samplers,
losses and optimisers; instant-ngp there needs nerfacc's CUDA code, and the first step of the default nerfacto
or vanilla-nerf takes a core over 20 s. So the network and the samples are smaller than its defaults
(`configure`), tuned by hand. `ns-train` itself stops on steps, not seconds, and builds an LPIPS metric whose
weights it downloads: an empty module stands in its place. A torchvision made for CUDA cannot load its
operators beside a torch without: then the two that its import asks for are declared (nothing calls them).
"""

import argparse
import contextlib
import copy
import importlib.metadata
import json
import math
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

RAYS_PER_STEP = 1024
FIRST_LEARNING_RATE = 0.02
LAST_LEARNING_RATE_FRACTION = 0.1


def make_torchvision_importable():
    """Declare the operators torchvision's import asks for, if its own compiled ones do not load.

    Returns the operator library (or None): the declarations last only as long as it is kept.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision  # noqa: F401

        return library
    return None


class NoLpips(torch.nn.Module):
    """Stands in for the LPIPS metric, whose making would download weights; it is never called."""

    def __init__(self, **options):
        super().__init__()


def downscale_image(source, target, factor):
    """Write the average of factor x factor blocks of premultiplied colour as a straight-alpha PNG."""
    with Image.open(source) as image:
        rgba = np.asarray(image.convert("RGBA"), dtype=np.float64) / 255.0
    height, width = rgba.shape[:2]
    if height % factor or width % factor:
        raise SystemExit(f"{source}: {width}x{height} does not divide by {factor}")
    premultiplied = np.concatenate([rgba[..., :3] * rgba[..., 3:], rgba[..., 3:]], axis=-1)
    blocks = premultiplied.reshape(height // factor, factor, width // factor, factor, 4).mean(axis=(1, 3))
    alpha = blocks[..., 3:]
    colour = np.divide(blocks[..., :3], alpha, out=np.zeros_like(blocks[..., :3]), where=alpha > 0)
    straight = np.concatenate([colour, alpha], axis=-1)
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(255.0 * straight.clip(0.0, 1.0)).astype(np.uint8)).save(target)


def downscale_dataset(source, target, factor):
    """Copy the two transforms files and downscale every image they name."""
    for split in ("train", "test"):
        transforms = source / f"transforms_{split}.json"
        shutil.copy(transforms, target)
        for frame in json.loads(transforms.read_text())["frames"]:
            name = Path(frame["file_path"].replace("./", "") + ".png")
            downscale_image(source / name, target / name, factor)


def configure(data, output):
    """Nerfacto's own configuration, made small enough for a CPU and set for an object on white."""
    from nerfstudio.configs.method_configs import method_configs
    from nerfstudio.data.datamanagers.base_datamanager import VanillaDataManagerConfig
    from nerfstudio.data.dataparsers.blender_dataparser import BlenderDataParserConfig

    config = copy.deepcopy(method_configs["nerfacto"])
    config.machine.device_type = "cpu"
    config.mixed_precision = False
    config.vis = "tensorboard"
    config.output_dir = output
    config.pipeline.datamanager = VanillaDataManagerConfig(
        dataparser=BlenderDataParserConfig(data=data, alpha_color="white"),
        train_num_rays_per_batch=RAYS_PER_STEP,
        eval_num_rays_per_batch=RAYS_PER_STEP,
    )
    model = config.pipeline.model
    model.implementation = "torch"
    model.eval_num_rays_per_chunk = 4096
    model.disable_scene_contraction = True
    model.near_plane, model.far_plane = 2.0, 6.0
    model.background_color = "white"
    model.use_appearance_embedding = False
    model.camera_optimizer.mode = "off"
    model.num_levels, model.base_res, model.max_res, model.log2_hashmap_size = 6, 16, 160, 16
    model.average_init_density = 0.1
    model.proposal_initial_sampler = "uniform"
    model.num_proposal_iterations = 1
    model.num_proposal_samples_per_ray = (48,)
    model.num_nerf_samples_per_ray = 16
    model.proposal_net_args_list = [
        {"hidden_dim": 16, "log2_hashmap_size": 14, "num_levels": 3, "max_res": 64, "use_linear": False}
    ]
    model.proposal_weights_anneal_max_num_iters = 100
    for group in ("fields", "proposal_networks"):
        config.optimizers[group]["optimizer"].lr = FIRST_LEARNING_RATE
    config.set_timestamp()
    return config


def train(trainer, seconds):
    """Run training steps until the time is up; return the number of steps and the seconds they took."""
    from nerfstudio.engine.callbacks import TrainingCallbackLocation

    start = time.perf_counter()

    def learning_rate_factor(_step):
        return LAST_LEARNING_RATE_FRACTION ** min(1.0, (time.perf_counter() - start) / seconds)

    for group, optimizer in trainer.optimizers.optimizers.items():
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, learning_rate_factor)
        trainer.optimizers.schedulers[group] = schedule

    def run_callbacks(step, location):
        for callback in trainer.callbacks:
            callback.run_callback_at_location(step, location=location)

    trainer.pipeline.train()
    step = 0
    while time.perf_counter() - start < seconds:
        run_callbacks(step, TrainingCallbackLocation.BEFORE_TRAIN_ITERATION)
        trainer.train_iteration(step)
        run_callbacks(step, TrainingCallbackLocation.AFTER_TRAIN_ITERATION)
        step += 1
    return step, time.perf_counter() - start


@torch.no_grad()
def evaluate(pipeline):
    """Render every test view; return the mean of the views' PSNR in dB and the seconds a view took."""
    pipeline.eval()
    dataset = pipeline.datamanager.eval_dataset
    psnr, seconds = [], 0.0
    for index in range(len(dataset)):
        start = time.perf_counter()
        rendered = pipeline.model.get_outputs_for_camera(dataset.cameras[index : index + 1])["rgb"]
        seconds += time.perf_counter() - start
        truth = dataset[index]["image"]
        assert rendered.shape == truth.shape, (rendered.shape, truth.shape)
        error = torch.mean((rendered.clamp(0.0, 1.0) - truth).double() ** 2).item()
        psnr.append(-10.0 * math.log10(error))
    return sum(psnr) / len(psnr), seconds / len(psnr)


def run(options):
    """Everything between the arguments and the line of JSON."""
    torchvision_operators = make_torchvision_importable()
    import torchmetrics.image.lpip

    torchmetrics.image.lpip.LearnedPerceptualImagePatchSimilarity = NoLpips
    random.seed(options.seed)
    np.random.seed(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads or len(os.sched_getaffinity(0)))

    with tempfile.TemporaryDirectory() as folder:
        data, output = Path(folder) / "data", Path(folder) / "output"
        data.mkdir()
        downscale_dataset(options.data, data, options.downscale)
        trainer = configure(data, output).setup(local_rank=0, world_size=1)
        trainer.setup(test_mode="test")
        steps, seconds = train(trainer, options.seconds)
        psnr, seconds_per_view = evaluate(trainer.pipeline)
    del torchvision_operators
    return {
        "method": "nerfacto (torch, small, CPU)",
        "version": "nerfstudio " + importlib.metadata.version("nerfstudio"),
        "steps": steps,
        "seconds": round(seconds, 2),
        "psnr_mean_of_images_db": round(psnr, 3),
        "seconds_per_view": round(seconds_per_view, 4),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder in the Blender format")
    parser.add_argument("--downscale", type=int, default=8, help="side of the blocks that are averaged")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds of training")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 means all cores")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        result = run(options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
