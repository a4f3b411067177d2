"""The folder of a run: what was asked, the checkpoints, the log, the products."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runtime.errors import FailedError, InputError
from ..runtime.files import write_json

__all__ = ["RunFolder", "claim_folder"]

KEYS = {"method", "reason", "doubts", "quality", "config", "budget", "seed", "data"}  # of run.json


@dataclass(frozen=True)
class RunFolder:
    """Paths inside a run's folder, and its description `run.json` (plain data: method, config, data,
    versions, seed, command)."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def log(self) -> Path:
        """The log, one JSON object a line: step, seconds, named scalars."""
        return self.path / "log.jsonl"

    @property
    def mesh(self) -> Path:
        """The extracted mesh."""
        return self.path / "mesh.ply"

    @property
    def certificate(self) -> Path:
        """What is proved about the mesh."""
        return self.path / "certificate.json"

    @property
    def reconstruction(self) -> Path:
        """The picture that the field shows, at the size of the input."""
        return self.path / "reconstruction.png"

    @property
    def spectrum(self) -> Path:
        """Power spectra of the input and of the reconstruction, side by side."""
        return self.path / "spectrum.png"

    @property
    def metrics(self) -> Path:
        """How the mesh or the picture compares with the input."""
        return self.path / "metrics.json"

    @property
    def seconds(self) -> Path:
        """Seconds of `fit` by stage."""
        return self.path / "seconds.json"

    @property
    def page(self) -> Path:
        """The page."""
        return self.path / "page.html"

    def describe(self, description: dict[str, Any]) -> None:
        """Write run.json."""
        write_json(self.path / "run.json", description)

    def description(self) -> dict[str, Any]:
        """Read run.json. Raises InputError where the folder is not a run."""
        file = self.path / "run.json"
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(
                "is not the folder of a run (it has no run.json)",
                self.path,
                "Name a folder that `isofield fit` or `train` made.",
            ) from None
        except NotADirectoryError:
            raise InputError(
                "is a file, not the folder of a run", self.path, "Name a folder that `isofield fit` made."
            ) from None
        except (ValueError, OSError) as error:
            raise InputError(f"cannot be read ({error})", file, "Name another run, or train again.") from None
        if not isinstance(content, dict) or not content.keys() >= KEYS:
            raise InputError("does not describe a run of isofield", file, "Name another run, or train again.")
        return content

    def read_log(self, up_to_step: int | None = None) -> list[dict[str, float]]:
        """The log's records, as far as `up_to_step`; a last line cut off by a kill is left out."""
        if not self.log.is_file():
            return []
        records = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if up_to_step is None or record["step"] <= up_to_step:
                records.append(record)
        return records


def claim_folder(
    out: str | os.PathLike | None, title: str, resume: bool = False, overwrite: bool = False
) -> RunFolder:
    """Make or reopen the folder of a run.

    out: the folder, or None for `runs/NNNN-TITLE` with the next free number. A folder that is not empty is
    refused unless `resume` (go on in it) or `overwrite` (its run is removed first); both take only a run.
    title: METHOD-INPUT.
    """
    try:
        path = _numbered(Path("runs"), title) if out is None else Path(out)
        if path.exists() and not path.is_dir():
            raise InputError("is a file, not a folder", path, "Name another folder with --out.")
        if path.is_dir() and any(path.iterdir()):
            if overwrite:
                _remove_run(path)
            elif not resume:
                raise InputError("is not empty", path, "Name another folder, or add --resume or --overwrite.")
            elif not (path / "run.json").is_file() and not all(
                e.name.startswith(".") for e in path.iterdir()
            ):
                raise InputError(
                    "is not empty and not a run, so there is nothing to resume",
                    path,
                    "Name the folder of the run with --out.",
                )
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "read-only folder")
    except OSError as error:
        raise FailedError(
            f"the folder cannot be made or written ({error.strerror or error})",
            out or "runs",
            "Name a folder that you may write, with --out.",
        ) from None
    return RunFolder(path)


def _numbered(parent: Path, title: str) -> Path:
    """A new folder with the next free number; another process may be taking one at the same time."""
    title = re.sub(r"[^A-Za-z0-9._-]+", "-", title).strip("-") or "run"
    parent.mkdir(exist_ok=True)
    while True:
        taken = [int(match[1]) for entry in parent.glob("*") if (match := re.match(r"(\d{4,})-", entry.name))]
        path = parent / f"{max(taken, default=0) + 1:04d}-{title}"
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path


def _remove_run(path: Path) -> None:
    """Remove the files that a run makes, films and views of a scene too; anything else stays."""
    if not (path / "run.json").is_file():
        raise InputError(
            "is not empty and not a run, so --overwrite leaves it alone",
            path,
            "Name another folder with --out.",
        )
    run = RunFolder(path)
    products = (run.mesh, run.certificate, run.reconstruction, run.spectrum)
    for file in (run.log, *products, run.metrics, run.seconds, run.page):
        file.unlink(missing_ok=True)
    for view in ("test", "train"):  # what `render` makes of a scene where no other place is named
        for file in (path / view).glob("*.png"):
            file.unlink()
        if (path / view).is_dir() and not any((path / view).iterdir()):
            (path / view).rmdir()
    for film in path.glob("*.webp"):
        film.unlink()
    (run.checkpoints / "latest").unlink(missing_ok=True)
    for checkpoint in run.checkpoints.glob("*.safetensors"):
        checkpoint.unlink()
    (path / "run.json").unlink()
