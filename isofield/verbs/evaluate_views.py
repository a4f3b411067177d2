"""The figures of a trained scene: views of it beside photographs that it did not learn from."""

import time
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from ..data.image import write_image
from ..data.readers import Record, load_shape
from ..data.scene import Scene
from ..geometry.mesh import Mesh
from ..metrics.features import perceptual_random_convolutions
from ..metrics.image import SSIMS, psnr, psnr_mean_of_images, psnr_of_mean_mse
from ..metrics.silhouette import SILHOUETTE_FIGURES, psnr_inside, silhouette_iou
from ..rendering.mesh_views import mesh_view
from ..rendering.views import render_view
from ..runtime.errors import InputError
from ..runtime.files import write_json
from ..runtime.progress import progress, say
from .render_views import BACKGROUNDS, background_of, file_names, over_background, picture_of
from .run import Run, reread
from .views_page import views_page

__all__ = ["Judging", "compared_views", "evaluate_views"]

HEADLINE = ("psnr_mean_of_images_db", "ssim_gaussian11_valid_mean", "psnr_blank_mean_of_images_db")
MESH_SAMPLES = 4  # rays of a mesh along each edge of a pixel
POOR = 20.0  # dB, below which views are plainly not good ones
MEANING = {
    "psnr_mean_of_images_db": "peak signal-to-noise ratio of each view, -10 log10 of the mean squared error "
    "over its pixels and channels, full scale 1, not rounded to 8 bits; the mean over the views",
    "psnr_of_mean_mse_db": "the same of the mean of the views' squared errors",
    "psnr_least_of_images_db": "the same of the worst view",
    "psnr_blank_mean_of_images_db": "psnr_mean_of_images_db of an empty picture of the background: what is "
    "not above it has shown nothing",
    "ssim_gaussian11_valid_mean": "structural similarity, Gaussian window of 11 x 11, where it lies within "
    "the picture (TensorFlow, mip-NeRF); the mean over the views",
    "ssim_gaussian11_reflected_mean": "the same over the whole picture, reflected at its border "
    "(torchmetrics)",
    "ssim_uniform7_mean": "structural similarity, plain window of 7 x 7 (scikit-image)",
    "ssim_luminance5_mean": "structural similarity of the luminance, window of 5 x 5 (instant-ngp)",
    "perceptual_random_convolutions_mean": "distance by a fixed network of random convolutions, built as "
    "LPIPS is but never trained: 0 is equal, not comparable with LPIPS",
    **SILHOUETTE_FIGURES,
    "views": "number of views",
    "seconds_per_view": "seconds to render one view, median",
}


@dataclass(frozen=True)
class Judging:
    """How `evaluate` looks at a scene.

    downscale, holdout: as for `train`, None for the run's own. background: "white", "black", or None for what
    the scene is usually judged over. views: so many of the views, evenly chosen; None for all. out: folder
    for what was rendered, one PNG a view, or None.
    """

    downscale: int | None = None
    holdout: int | None = None
    background: str | None = None
    views: int | None = None
    out: Path | None = None

    def refuse(self, where: str | Path) -> None:
        """Raise InputError where any of it is asked for, of a run that holds no scene."""
        asked = [f"--{name}" for name, value in vars(self).items() if value is not None]
        if asked:
            raise InputError(f"holds no scene: {', '.join(asked)} is for scenes", where, "Leave it out.")


def evaluate_views(
    run: Run, source: Any, judging: Judging, mesh: Mesh | str | Path | None = None
) -> dict[str, Any]:
    """The run's views of the test frames beside the photographs, by named figures; of the training frames
    where there are no others. Those of the run's own test frames, all of them and as usual, are written to
    RUN/metrics.json, and the page is made anew.

    source: the scene (None: read by the path in the run). mesh: another than the run's own, to be judged by
    silhouettes and colours. Raises InputError for what is no scene, and for a mesh where there is no alpha.
    """
    known = run.description["data"]
    scene: Record = source
    if source is None and judging.downscale is None and judging.holdout is None:
        scene = run.scene()
    elif isinstance(source, Scene):
        if judging.downscale is not None or judging.holdout is not None:
            raise InputError(
                "is in memory: --downscale and --holdout are for files", "source", "Leave them out."
            )
    else:
        asked = {"downscale": judging.downscale, "holdout": judging.holdout}
        asked = {name: value for name, value in asked.items() if value is not None}
        scene = reread(run.input_path if source is None else source, {**known, **asked})
    assert isinstance(scene, Scene)  # the run is one of a scene, and so is what it reads
    if mesh is not None and not scene.has_alpha:
        raise InputError(
            "has no alpha, by which meshes are judged",
            scene.source,
            "Leave --mesh out, or name other --data.",
        )
    result = compared_views(run, scene, judging, mesh=mesh)
    usual = mesh is None and judging == Judging(out=judging.out)
    if usual and scene.fingerprint == known["fingerprint"]:
        write_json(run.folder.metrics, result)
        views_page(run, scene)
    return result


def compared_views(
    run: Run,
    scene: Scene,
    judging: Judging = Judging(),
    mesh: Mesh | str | Path | None = None,
) -> dict[str, Any]:
    """The figures, in the form of those of a mesh; "images" has those of each view. mesh: None for the run's
    own, where it has one; it is judged too where the photographs have alpha."""
    surface = _mesh_to_judge(run, scene, mesh)
    which, numbers = scene.judged
    doubts = []
    if which == "train":
        doubts.append(
            "there are no test views: these figures are of the views that were learnt, and so too good"
        )
        say(f"note: {doubts[0]}")
    pictures = scene.photographs
    if pictures.counted is not None:
        any_counts = [pictures.counted[pictures.starts[n] : pictures.starts[n + 1]].any() for n in numbers]
        if not all(any_counts):
            doubts.append(f"{len(numbers) - sum(any_counts)} views are left out: their masks count nothing")
            say(f"note: {doubts[-1]}")
            numbers = numbers[any_counts]
    if not len(numbers):
        raise InputError(f"has no {which} views of which a pixel counts", scene.source, "Name other --data.")
    if judging.views is not None:
        if judging.views < 1:
            raise InputError(
                f"must be 1 or more, not {judging.views}", "--views", "Leave it out for all of them."
            )
        chosen = np.linspace(0, len(numbers) - 1, min(judging.views, len(numbers))).round().astype(int)
        numbers = numbers[chosen]
    named = judging.background or background_of(run)
    background = BACKGROUNDS[named]
    files = file_names([scene.names[n] for n in numbers])
    if judging.out is not None:
        judging.out.mkdir(parents=True, exist_ok=True)
    images, seconds = [], []
    with progress("rendering") as bar:
        for place, number in enumerate(numbers):
            before = time.perf_counter()
            share = (place / len(numbers), (place + 1) / len(numbers))
            view = render_view(run.views.render, scene.cameras, int(number), bar, share, run.views.rays)
            seconds.append(time.perf_counter() - before)
            if judging.out is not None:
                file = judging.out / f"{files[place]}.png"
                write_image(file, picture_of(view, "colour", (0, 1), background))
            shown, counted = view.over(background), pictures.counted_in(number)
            truth = over_background(scene.photographs.picture(int(number)), background)
            images.append({"name": scene.names[number], **_figures(shown, truth, counted, background)})
            if surface is not None:
                images[-1] |= _mesh_figures(surface, scene, int(number), truth, background)
    ratios = [image["psnr_db"] for image in images]
    blank = [image.pop("psnr_blank_db") for image in images]
    figures = {
        "psnr_mean_of_images_db": psnr_mean_of_images(ratios),
        "psnr_of_mean_mse_db": psnr_of_mean_mse(ratios),
        "psnr_least_of_images_db": min(ratios),
        "psnr_blank_mean_of_images_db": psnr_mean_of_images(blank),
        **{
            f"{name}_mean": float(np.mean([image[name] for image in images]))
            for name in (*SSIMS, "perceptual_random_convolutions")
        },
        **(_of_mesh(images) if surface is not None else {}),
        "views": len(images),
        "seconds_per_view": float(np.median(seconds)),  # the first one loads the kernels
    }
    if figures["psnr_mean_of_images_db"] < POOR:
        doubts.append(
            f"the views are reproduced poorly ({figures['psnr_mean_of_images_db']:.1f} dB): train for longer "
            "(--seconds), or check the cameras (isofield data check)"
        )
    return {
        "truth": scene.source,
        "compared": {"frames": which, "background": named, "downscale": scene.downscale},
        "headline": {name: figures[name] for name in HEADLINE if isfinite(figures[name])},
        "doubts": doubts,
        "figures": figures,
        "meaning": {name: MEANING[name] for name in figures},
        "images": images,
    }


def _mesh_to_judge(run: Run, scene: Scene, mesh: Mesh | str | Path | None) -> Mesh | None:
    if isinstance(mesh, Mesh) or not scene.has_alpha:
        return mesh if isinstance(mesh, Mesh) else None
    if mesh is None and not run.folder.mesh.is_file():
        return None
    loaded = load_shape(run.folder.mesh if mesh is None else mesh)
    return Mesh(loaded.vertices, loaded.faces, colours=loaded.colours)


def _mesh_figures(
    mesh: Mesh, scene: Scene, number: int, truth: np.ndarray, background: float
) -> dict[str, float]:
    """Those of a mesh in one view."""
    seen = mesh_view(mesh, scene.cameras, number, MESH_SAMPLES)
    alpha = scene.photographs.picture(number)[..., 3] / np.float32(255)
    return {
        "mesh_silhouette_iou": silhouette_iou(seen.opacity, alpha),
        "mesh_psnr_inside_silhouette_db": psnr_inside(seen.over(background), truth, alpha),
    }


def _of_mesh(images: list[dict[str, Any]]) -> dict[str, float]:
    """The figures of a mesh in all views; pictures that show nothing have no colours to judge."""
    overlaps = [image["mesh_silhouette_iou"] for image in images]
    ratios = [image["mesh_psnr_inside_silhouette_db"] for image in images]
    return {
        "mesh_silhouette_iou_mean_of_images": float(np.mean(overlaps)),
        "mesh_silhouette_iou_least_of_images": min(overlaps),
        "mesh_psnr_inside_silhouette_mean_of_images_db": float(np.nanmean(ratios)),
    }


def _figures(
    shown: np.ndarray, truth: np.ndarray, counted: np.ndarray | None, background: float
) -> dict[str, float]:
    """The figures of one view; pixels that do not count are taken from the truth, and left out of the
    PSNR."""
    if counted is not None:
        shown = np.where(counted[..., None], shown, truth)
    kept = slice(None) if counted is None else counted
    blank = np.full_like(truth, background)
    return {
        "psnr_db": psnr(shown[kept], truth[kept]),
        "psnr_blank_db": psnr(blank[kept], truth[kept]),
        **{name: of(shown, truth) for name, of in SSIMS.items()},
        "perceptual_random_convolutions": perceptual_random_convolutions(shown, truth),
    }
