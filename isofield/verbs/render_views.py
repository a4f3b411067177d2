"""A trained scene from anywhere: its own cameras, an orbit, a spiral, a camera path; as pictures or as a
film."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..data.camera_path import read_camera_path
from ..data.image import IMAGE_ENDINGS, check_image_output, write_image
from ..data.video import ANIMATIONS, VIDEOS, Take, check_frames_output, frames_to
from ..rendering.cameras import Cameras, pinholes
from ..rendering.paths import orbit_like, spiral
from ..rendering.views import View, depths, render_view
from ..runtime.errors import InputError
from ..runtime.progress import progress, say
from ..viewing.colours import colour_map
from .options import Filming
from .run import Run

__all__ = [
    "BACKGROUNDS",
    "background_of",
    "file_names",
    "over_background",
    "picture_of",
    "render_views",
    "usual_way",
]

FPS, SECONDS = 24.0, 4.0
MOST = 100_000  # frames
FILMS = (*VIDEOS, *ANIMATIONS)
DEEPEST = 65535  # the whole number in a PNG of 16 bits that stands for the farthest corner of the box
BACKGROUNDS = {"white": 1.0, "black": 0.0}


def render_views(
    run: Run, out: str | Path | None, width: int | None, height: int | None, filming: Filming
) -> dict[str, Any]:
    """Write what cameras along a path see: into a folder (one PNG a frame, of test and training views under
    the frame's own name), a film (.mp4 .webp .gif), or, of the path's first camera, a picture (.png ...).

    out: None for RUN/PATH, a folder for test and train, else RUN/PATH.webp. width, height: of one alone the
    other follows from the camera's proportions; of none, both are the camera's. Depths are distances along
    the rays; in a folder they are also written as NAME.depth.png, 16 bits, 0 where nothing is met, in steps
    that the result says. Returns files, frames, width, height, and of depths "range" (of the colours) and
    "depth_step". Raises InputError, before any work, for what cannot be rendered or written.
    """
    way, cameras, names, fps = _path(run, filming)
    cameras = _sized(cameras, width, height)
    out, kind = _output(run, way, out)
    result: dict[str, Any] = {"files": [], "frames": len(cameras), "path": way, "show": filming.show}
    span = (0.0, 1.0)
    if filming.show == "depth":
        span = depths(run.views.render, cameras, rays=run.views.rays)
        result |= {"range": list(span), "depth_step": _farthest(run, cameras) / DEEPEST}
    background, cut = BACKGROUNDS[filming.background or background_of(run)], 0
    if kind == "picture":
        cameras, names = cameras[0], names[:1]
        result["frames"] = 1
    with _written(out, kind, fps, names, result["files"]) as take, progress("rendering") as bar:
        for number in range(len(cameras)):
            share = (number / len(cameras), (number + 1) / len(cameras))
            view = render_view(run.views.render, cameras, number, bar, share, run.views.rays)
            take(picture_of(view, filming.show, span, background))
            if filming.show == "depth" and kind == "folder":
                file = out / f"{names[number]}.depth.png"
                deep = np.nan_to_num(view.depth / result["depth_step"], posinf=0).round()
                cut += int((deep > DEEPEST).sum())
                write_image(file, np.clip(deep, 0, DEEPEST).astype(np.uint16)[..., None])
                result["files"].append(str(file))
    if cut:
        say(f"note: {cut:,} pixels lie beyond the box: their depths are cut to the farthest of its corners")
    return {**result, "width": int(cameras.sizes[0, 0]), "height": int(cameras.sizes[0, 1])}


def picture_of(view: View, show: str, span: tuple[float, float], background: float) -> np.ndarray:
    """A view as uint8 [H, W, 3]: its colour in front of the background, its opacity (white: opaque), or
    colours of its depth between those of span, near is dark; white where nothing is met."""
    if show == "depth":
        near = -np.where(np.isfinite(view.depth), view.depth, np.float32(span[1]))
        colours = colour_map(near, -span[1], -span[0])
        return np.where(np.isfinite(view.depth)[..., None], colours, np.uint8(255))
    values = view.over(background) if show == "colour" else np.repeat(view.opacity[..., None], 3, axis=2)
    return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)


def over_background(picture: np.ndarray, background: float) -> np.ndarray:
    """A photograph, uint8 [H, W, 3] or [H, W, 4] with colours multiplied by alpha, in front of a grey
    background: float32 [H, W, 3] in [0, 1]."""
    values = picture.astype(np.float32) / np.float32(255)
    if values.shape[2] == 3:
        return values
    return np.minimum(values[..., :3] + (1 - values[..., 3:]) * np.float32(background), 1)


def background_of(run: Run) -> str:
    """What is behind the scene by itself: what its method has learnt there; else white where the photographs
    have alpha, as the papers have it, and black where not."""
    white = run.description["config"].get("white")
    white = run.description["data"]["channels"] == 4 if white is None else white
    return "white" if white else "black"


def usual_way(run: Run) -> str:
    """How a film goes through the scene by itself; RUN/WAY.webp is its file."""
    return "spiral" if run.description["data"]["forward_facing"] else "orbit"


def file_names(frames: list[str]) -> list[str]:
    """Names for files of frames: their own, without folder and ending; where these are not enough to tell
    them apart, with the folders."""
    plain = [name[: -len(ending)] if (ending := _ending(name)) else name for name in frames]
    short = [name.replace("\\", "/").rsplit("/", 1)[-1] for name in plain]
    if len(set(short)) == len(short):
        return short
    return [name.removeprefix("./").replace("/", "_").replace("\\", "_").replace("..", "_") for name in plain]


def _ending(name: str) -> str:
    return next((ending for ending in IMAGE_ENDINGS if name.lower().endswith(ending)), "")


def _path(run: Run, filming: Filming) -> tuple[str, Cameras, list[str], float]:
    """The way by name, its cameras, names for their files, and frames a second."""
    known = run.description["data"]
    run.views  # noqa: B018 (raises where there are none)
    way = filming.path or usual_way(run)
    fps = FPS if filming.fps is None else filming.fps
    if not 0.1 <= fps <= 240:
        raise InputError(f"must be from 0.1 to 240, not {fps:g}", "--fps", "Usual are 24 and 30.")
    if way in ("test", "train"):
        if filming.seconds is not None:
            raise InputError("is for paths, not for views of the data", "--seconds", "Leave it out.")
        numbers = run.frames(way)
        return way, run.cameras[numbers], file_names([known["names"][n] for n in numbers]), fps
    if way in ("orbit", "spiral"):
        seconds = SECONDS if filming.seconds is None else filming.seconds
        count = round(seconds * fps)
        if not 1 <= count <= MOST:
            raise InputError(
                f"{seconds:g} s are {count} frames", "--seconds", f"Give a length of 1 to {MOST} frames."
            )
        if way == "spiral" and not known["forward_facing"]:
            say(
                "note: a spiral is for cameras that all look the same way; around an object take --path orbit"
            )
        cameras = _flown(run, way, count)
    elif way.lower().endswith(".json"):
        if filming.seconds is not None:
            raise InputError(
                "is for orbits and spirals", "--seconds", "Leave it out: the path has its length."
            )
        film = read_camera_path(Path(way))
        cameras, way = film.cameras, Path(way).stem
        fps = film.frames_per_second if filming.fps is None else fps
    else:
        raise InputError(
            f"there is no path {way!r}",
            "--path",
            "Choose orbit, spiral, test or train, or name a .json file.",
        )
    return way, cameras, [f"{number:05d}" for number in range(len(cameras))], fps


def _flown(run: Run, way: str, count: int) -> Cameras:
    """An orbit or a spiral as the training cameras would fly it, seen through the lens of the first one, but
    without its distortion."""
    known, learnt = run.description["data"], run.cameras[run.frames("train")]
    corners = np.array(known["box"])
    if way == "orbit":
        poses = orbit_like(learnt.poses, corners.mean(axis=0), count)
    else:
        depth = np.linalg.norm(corners.mean(axis=0) - learnt.centres, axis=1)
        near = depth.min() / 2 if known["near"] is None else known["near"]
        far = 2 * depth.max() if known["far"] is None else known["far"]
        poses = spiral(learnt.poses, max(near, 1e-3 * far), far, count)
    width, height = (int(size) for size in learnt.sizes[0])
    return pinholes(poses, float(learnt.intrinsics[0, :2].mean()), (width, height))


def _sized(cameras: Cameras, width: int | None, height: int | None) -> Cameras:
    """The cameras with pictures of this size."""
    for flag, size in (("--width", width), ("--height", height)):
        if size is not None and not 1 <= size <= 16384:
            raise InputError(f"must be from 1 to 16384, not {size}", flag, "Give a number of pixels.")
    if width is None and height is None:
        return cameras
    own = cameras.sizes
    if width is None:
        assert height is not None
        widths, heights = own[:, 0] * height / own[:, 1], np.full(len(own), height)
    elif height is None:
        widths, heights = np.full(len(own), width), own[:, 1] * width / own[:, 0]
    else:
        widths, heights = np.full(len(own), width), np.full(len(own), height)
    return cameras.resized(np.maximum(np.stack([widths, heights], axis=1).round().astype(own.dtype), 1))


def _output(run: Run, way: str, out: str | Path | None) -> tuple[Path, str]:
    """Where to write, once that is known to be possible, and whether that is a "film", a "picture" or a
    "folder"."""
    if out is None:
        out = run.path / (way if way in ("test", "train") else f"{way}.webp")
    out = Path(out)
    if out.is_dir():
        return out, "folder"
    if out.suffix.lower() in FILMS:
        check_frames_output(out)
        return out, "film"
    if out.suffix:
        check_image_output(out, 3, False)
        return out, "picture"
    if out.exists():
        raise InputError("is a file, not a folder", out, "Name another folder.")
    return out, "folder"


def _farthest(run: Run, cameras: Cameras) -> float:
    """The largest distance from any of the cameras to a corner of the box."""
    corners = np.array([run.views.lower, run.views.upper])[:, None]
    reach = np.abs(corners - cameras.centres).max(axis=0)
    return float(np.linalg.norm(reach, axis=1).max())


@contextmanager
def _written(out: Path, kind: str, fps: float, names: list[str], files: list[str]) -> Iterator[Take]:
    """Takes pictures and writes them one by one as files of these names, or as one film; `files` grows by
    what was written."""
    if kind == "film":
        with frames_to(out, fps) as take:
            yield take
        files.append(str(out))
        return
    left = iter(names)
    if kind == "folder":
        out.mkdir(parents=True, exist_ok=True)

    def write(pixels: np.ndarray) -> None:
        file = out if kind == "picture" else out / f"{next(left)}.png"
        write_image(file, pixels)
        files.append(str(file))

    yield write
