"""`isofield fit` as a user runs it: the whole command on real meshes, and its mesh judged by other
libraries."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from command import Measured, cold_environment, isofield
from inputs import mesh_path, read_mesh
from judge import Figures, Truth, is_closed_and_manifold
from report import flags, publish, table

CLEAN = ("stanford-bunny", "nefertiti", "armadillo", "fandisk", "rocker-arm")
DIRTY = ("spot", "suzanne", "teapot", "beast")
SHEETS = ("beetle", "truck")

SECONDS = {"standard": 15, "high": 90}
COLD_SECONDS_MORE = 25
IOU = {"standard": 0.997, "high": 0.999}
DISTANCE = 0.0005  # share of the longest edge
NORMALS = 0.98
DIRTY_IOU = 0.99

MEASURED = (
    "Seconds and peak memory are those of the whole command, its kernels compiled before. Everything else "
    "is measured on the written mesh by other libraries: the intersection over union (IoU) at 200,000 "
    "uniform points of the truth's box, padded on each side by 5 % of its longest edge, inside being "
    "where libigl's winding number exceeds 0.5; the distance as the mean of both ways from 100,000 "
    "samples to the other surface, a share of the longest edge; normals as the mean |cosine|, both ways; "
    "closed and manifold by trimesh and manifold3d, beside what the certificate says."
)


@dataclass(frozen=True)
class Fit:
    """One fit. faces: of the input. run: what run.json says. figures: by the judge. solid: closed and
    manifold, by the judge."""

    name: str
    faces: int
    measured: Measured
    run: dict
    figures: Figures
    solid: bool

    @property
    def certified(self) -> bool:
        """Whether the certificate says closed and manifold."""
        certificate = self.measured.json["certificate"]
        return certificate["closed"] and certificate["manifold"]

    @property
    def proper(self) -> bool:
        """Closed and manifold, by the certificate and by the judge."""
        return self.certified and self.solid


def main() -> None:
    """Fit everything, judge, print, write."""
    arguments = flags(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        body = _body(Path(folder), arguments.small)
    publish("fit", "Fitting a shape", body, arguments, ("libigl", "trimesh", "manifold3d"))


def _body(folder: Path, small: bool) -> list[str]:
    isofield("doctor", "--warm")
    more = ("--steps", 30, "--resolution", 64) if small else ()
    clean, dirty, sheets = (names[-1:] if small else names for names in (CLEAN, DIRTY, SHEETS))

    def fits(names: tuple[str, ...], quality: str) -> list[Fit]:
        return [_fit(folder, name, quality, more) for name in names]

    standard = fits(clean, "standard")
    cold = _fit(folder, clean[0], "standard", more, cold_environment(folder / "cold"))
    high, rough, doubtful = fits(clean, "high"), fits(dirty, "standard"), fits(sheets, "standard")
    cold_more = cold.measured.seconds - standard[0].measured.seconds
    return [
        MEASURED,
        "Standard quality, no flags:",
        _table(standard),
        f"With no kernel compiled, {cold.name} took {cold.measured.seconds:.1f} s: {cold_more:.1f} s more.",
        "`--quality high`:",
        _table(high),
        "Self-intersecting, open and many-pieced inputs, no flags:",
        _table(rough),
        "Inputs of sheets, which enclose no solid (the truth is then what can be closed):",
        _table(doubtful),
        *(f"- {fit.name}: {doubt}." for fit in doubtful for doubt in fit.run["doubts"]),
        _finding(standard, high, rough, doubtful, cold_more),
    ]


def _fit(
    folder: Path, name: str, quality: str, more: tuple, environment: dict[str, str] | None = None
) -> Fit:
    source, out = mesh_path(name), folder / f"{name}-{quality}"
    command = ("fit", source, "--out", out, "--quality", quality, "--overwrite", "--json", *more)
    measured = isofield(*command, environment=environment)
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    figures, solid = Truth(source).judge(out / "mesh.ply"), is_closed_and_manifold(out / "mesh.ply")
    return Fit(name, len(read_mesh(source)[1]), measured, run, figures, solid)


def _table(fits: list[Fit]) -> str:
    figures = ("IoU", "distance", "normals", "certificate", "closed, manifold")
    rows = [
        (
            fit.name,
            f"{fit.faces:,}",
            fit.run["method"],
            *fit.measured.cells,
            *fit.figures.cells,
            fit.certified,
            fit.solid,
        )
        for fit in fits
    ]
    return table(("mesh", "faces", "method", "seconds", "peak memory", *figures), rows)


def _finding(
    standard: list[Fit], high: list[Fit], rough: list[Fit], sheets: list[Fit], cold_more: float
) -> str:
    """The targets as a list, each with the fits that miss it."""
    targets: list[tuple[str, list[Fit], Callable[[Fit], bool]]] = []
    for fits, quality in ((standard, "standard"), (high, "high")):
        within, iou = SECONDS[quality], IOU[quality]
        targets += [
            (
                f"{quality}: within {within} s",
                fits,
                lambda fit, within=within: fit.measured.seconds <= within,
            ),
            (f"{quality}: IoU at least {iou}", fits, lambda fit, iou=iou: fit.figures.iou >= iou),
        ]
    targets += [
        (f"standard: distance at most {DISTANCE}", standard, lambda fit: fit.figures.distance <= DISTANCE),
        (
            f"standard: normals at least {NORMALS}",
            standard,
            lambda fit: fit.figures.normal_consistency >= NORMALS,
        ),
        (f"rough inputs: IoU at least {DIRTY_IOU}", rough, lambda fit: fit.figures.iou >= DIRTY_IOU),
        ("everything closed and manifold", standard + high + rough + sheets, lambda fit: fit.proper),
        ("sheets: the doubt is said", sheets, lambda fit: bool(fit.run["doubts"])),
    ]
    lines = [
        "Targets:",
        f"- no kernel compiled: at most {COLD_SECONDS_MORE} s more: "
        f"{_met([''] * (cold_more > COLD_SECONDS_MORE))}",
    ]
    lines += [f"- {text}: {_met([fit.name for fit in fits if not met(fit)])}" for text, fits, met in targets]
    return "\n".join(lines)


def _met(missing: list[str]) -> str:
    return f"MISSED ({', '.join(missing)})".replace(" ()", "") if missing else "met"


if __name__ == "__main__":
    main()
