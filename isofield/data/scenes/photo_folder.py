"""A plain folder of photographs: COLMAP's command line finds the cameras, where it is installed."""

import shutil
import subprocess
from pathlib import Path

from ...runtime.errors import FailedError, InputError
from ...runtime.progress import progress, say
from ..image import IMAGE_ENDINGS
from ..photographs import look_at

__all__ = ["FEWEST", "cameras_by_colmap", "photographs_in"]

FEWEST = 3  # photographs, below which nothing says where they were taken from

EXHAUSTIVE = 200  # pictures, up to which every pair is matched; beyond it neighbours in order


def photographs_in(folder: Path) -> list[Path]:
    """The pictures in the folder itself or in its `images`; none where neither holds any."""
    for place in (folder, folder / "images"):
        files = list(place.iterdir()) if place.is_dir() else []
        if pictures := [file for file in files if file.suffix.lower() in IMAGE_ENDINGS]:
            return pictures
    return []


def cameras_by_colmap(folder: Path, expected: str) -> None:
    """Run COLMAP on the photographs of a folder, on the CPU, into its subfolder `colmap`, where its model is
    found the next time. expected: the files of scenes that are looked for, for the message.

    Raises InputError where there are too few photographs or COLMAP is not installed, FailedError where it
    fails.
    """
    files = photographs_in(folder)
    if len(files) < FEWEST:
        raise InputError(
            f"holds no scene ({len(files)} photographs, and none of {expected})",
            folder,
            f"Name a folder of one of these formats, or of at least {FEWEST} overlapping photographs.",
        )
    program = shutil.which("colmap")
    if program is None:
        raise InputError(
            f"holds {len(files)} photographs, but nothing says where they were taken from",
            folder,
            "Install COLMAP, which finds that out (Debian, Ubuntu: sudo apt install colmap), and try "
            f"again; or add one of {expected}.",
        )
    work = folder / "colmap"
    (work / "sparse").mkdir(parents=True, exist_ok=True)
    (work / "database.db").unlink(missing_ok=True)
    say(f"COLMAP looks for the cameras of {len(files)} photographs; its files go to {work}")
    same = len({look_at(file).size for file in files}) == 1
    base = ["--database_path", str(work / "database.db")]
    images = ["--image_path", str(files[0].parent)]
    matcher = "exhaustive_matcher" if len(files) <= EXHAUSTIVE else "sequential_matcher"
    lens = ["--ImageReader.camera_model", "OPENCV", "--ImageReader.single_camera", str(int(same))]
    steps = {
        "feature_extractor": [*base, *images, *lens, *_on_cpu(program, "feature_extractor")],
        matcher: [*base, *_on_cpu(program, matcher)],
        "mapper": [*base, *images, "--output_path", str(work / "sparse")],
    }
    with progress("COLMAP") as bar, open(work / "log.txt", "wb") as log:
        for number, (step, options) in enumerate(steps.items()):
            bar.update(number / len(steps), step.replace("_", " "))
            code = subprocess.run([program, step, *options], stdout=log, stderr=log, check=False).returncode
            if code:
                raise FailedError(
                    f"COLMAP's {step} failed (code {code})", work / "log.txt", "Its log says why."
                )
    if not any((work / "sparse").iterdir()):
        raise FailedError(
            "COLMAP placed no camera",
            work / "log.txt",
            "Take more photographs, sharp and overlapping by two thirds.",
        )


def _on_cpu(program: str, step: str) -> list[str]:
    """The option, named differently by versions of COLMAP, that keeps a step off the GPU."""
    said = subprocess.run([program, step, "--help"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return next(([word, "0"] for word in words if word.startswith("--") and word.endswith(".use_gpu")), [])
