"""`isofield fit`: the main job."""

import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import tyro

from ..runtime.errors import InputError, IsofieldError
from ..runtime.files import json_text
from ..runtime.interruption import Interrupted
from ..runtime.progress import say
from ..verbs.options import TrainOptions, read_settings
from .arguments import Shared, parse

__all__ = ["main"]

DESCRIPTION = """Train a neural field on a shape, picture or scene, make what it shows, and write a page.

Takes meshes (.ply .obj .stl .off .glb .gltf .binvox; also open, self-intersecting, inside-out)
and points, with normals or raw (.ply .xyz .npz .pcd; or a folder of range scans with a .conf).
Takes pictures too (.png .jpg .jpeg .webp .tif .tiff .bmp .gif .ppm .pgm .avif), upright as their EXIF
orientation says.
Takes scenes: photographs with their cameras, a folder with transforms_train.json (Blender), transforms.json
(nerfstudio, instant-ngp; or the file itself), poses_bounds.npy (LLFF), a COLMAP model, cameras.npz (IDR) or
*_par.txt (Middlebury). `isofield data check FOLDER` draws the cameras first.
The method that suits the input is chosen and said.
Makes of a shape RUN/mesh.ply (watertight, in the input's own coordinates) and RUN/certificate.json,
of a picture RUN/reconstruction.png and RUN/spectrum.png, of a scene RUN/mesh.ply in colour, RUN/test
(views of the frames kept for tests) and RUN/orbit.webp; RUN/metrics.json and RUN/page.html of all.

Examples: isofield fit bunny.ply
          isofield fit scan.ply --quality high --out runs/scan
          isofield fit *.stl --seconds 5
          isofield fit photo.jpg
          isofield fit lego --downscale 8 --seconds 60
          isofield fit captured/transforms.json --holdout 8 --out runs/captured"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield fit`."""

    inputs: tyro.conf.Positional[tuple[Path, ...]] = ()
    """files and scenes to fit, or folders of files, one after another (with --resume and none: the run's
    own)"""
    method: str | None = None
    """the method (default: the one that suits the input)"""
    quality: Literal["draft", "standard", "high"] | None = None
    """how much to spend: about 6 s, 12 s, over a minute; of a picture about 8 s, 30 s, two minutes (default:
    standard)"""
    resolution: int | None = None
    """cells of the extraction grid along an axis (default: by quality)"""
    faces: int | None = None
    """simplify the mesh to about so many faces"""
    open: bool = False
    """leave out surface that no input supports: holes stay holes"""
    max_memory: str | None = None
    """bound on the memory of the extraction, such as 1GiB"""
    config: Path | None = None
    """JSON file with settings of the method (a run.json will do)"""
    training: TrainOptions = field(default_factory=TrainOptions)
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, fit every input, print the result."""
    a = parse(Arguments, arguments, "fit", DESCRIPTION)
    from ..verbs.fit import fit  # after parsing: --help and usage errors need not wait for torch

    a.shared.apply()
    inputs = _files(a.inputs or _input_of(a.training))
    if len(inputs) > 1 and a.training.out is not None and a.training.out.is_file():
        raise InputError(
            "is a file; several inputs need a folder", a.training.out, "Name a folder with --out."
        )
    names = [path.name for path in inputs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None and a.training.out is not None:
        raise InputError(
            f"two inputs are called {twice}, and both would go to the folder of that name",
            a.training.out,
            "Rename one, or fit them with two commands.",
        )
    failed, results = [], []
    for path in inputs:
        options = asdict(a.training)
        if len(inputs) > 1 and a.training.out is not None:
            options["out"] = a.training.out / path.name
        try:
            run = fit(
                path,
                a.method,
                a.quality,
                resolution=a.resolution,
                faces=a.faces,
                trim=a.open,
                max_memory=a.max_memory,
                config=read_settings(a.config) if a.config else None,
                command=shlex.join(["isofield", "fit", *arguments]),
                **options,
            )
        except Interrupted:
            raise
        except IsofieldError as error:
            if len(inputs) == 1:
                raise
            failed.append(path)
            say(f"isofield fit: {error}")
            continue
        certificate = {"certificate": run.certificate} if run.folder.certificate.is_file() else {}
        products = {
            "doubts": [*run.description["doubts"], *run.metrics["doubts"]],
            **certificate,
            "metrics": run.metrics,
            "seconds": run.seconds,
        }
        results.append({"run": str(run.path), **products})
        if not a.shared.json:
            print(_text(run))
    if a.shared.json:
        print(json_text(results[0] if len(inputs) == 1 else results, indent=2))
    if failed:
        raise IsofieldError(
            f"{len(failed)} of {len(inputs)} inputs failed: {', '.join(map(str, failed))}",
            "fit",
            "See the messages above.",
        )


def _input_of(training: TrainOptions) -> tuple[Path, ...]:
    """The input of the run that is to go on."""
    from ..training.run_folder import RunFolder

    if training.resume and training.out is not None:
        path = RunFolder(training.out).description()["data"]["path"]
        return (Path(path),) if path else ()
    return ()


def _files(inputs: tuple[Path, ...]) -> list[Path]:
    from ..data import IMAGE_ENDINGS, READERS
    from ..data.readers import scans_of
    from ..data.scenes import holds_scene

    known = (*READERS, *IMAGE_ENDINGS)

    files: list[Path] = []
    for path in inputs:
        if path.is_dir() and scans_of(path) is None and not holds_scene(path):
            found = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in known)
            if not found:
                raise InputError("holds no file that can be read", path, f"Known formats: {' '.join(known)}.")
            files += found
        else:
            files.append(path)
    if not files:
        raise InputError("no input was named", "fit", "Write for example: isofield fit my.ply")
    return files


def _text(run: Any) -> str:
    kind = run.description["data"]["kind"]
    if kind == "image":
        first = str(run.folder.reconstruction)
        following = f"isofield render {run.path} --width 2048 --out big.png"
    elif kind == "scene":
        first = f"{run.path / run.metrics['compared']['frames']}: {len(run.metrics['images'])} views"
        following = f"isofield render {run.path} --seconds 6 --width 800 --out orbit.webp"
    else:
        from ..geometry.certificate import in_words

        first = f"{run.folder.mesh}: {in_words(run.certificate)}"
        following = f"isofield extract {run.path} --out another.glb"
    lines = [first]
    lines += [f"  {name}: {value:.5g}" for name, value in run.metrics["headline"].items()]
    lines += [
        f"  {run.seconds['total']:.1f} s after start-up, {run.seconds['training']:.1f} s of them to prepare "
        "and train"
    ]
    lines += [f"  note: {doubt}" for doubt in [*run.description["doubts"], *run.metrics["doubts"]]]
    lines += [f"page: {run.folder.page}", f"next: {following}"]
    return "\n".join(lines)
