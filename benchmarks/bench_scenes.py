"""Photographs to radiance fields: test views after a budget of seconds, seconds a view, memory; the surface
of a scene; the paper's method beside the fast one."""

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from command import Measured, isofield, measure
from inputs import DATA
from report import PICTURES, ROOT, flags, publish, table

FLOOR_STEPS = 20
PICTURE = PICTURES / "nerf-ngp.png"
HEADER = (
    "scene", "method", "size", "budget", "besides", "steps", "PSNR", "worst", "SSIM", "perceptual", "blank",
    "seconds a view", "peak memory", "asked",
)  # fmt: skip
LEGO, FERN, FOX = "nerf/lego", "llff/fern", "nerf/fox"


@dataclass(frozen=True)
class Asked:
    """One training. target: least PSNR in dB that was asked for, or None."""

    scene: str
    seconds: int
    size: str
    downscale: int = 1
    method: str = "ngp"
    preset: str | None = None
    target: float | None = None
    views: int | None = None  # that are judged; None: all

    @property
    def options(self) -> list[object]:
        """Of `isofield train`, but for the budget."""
        more: list[object] = ["--downscale", self.downscale] if self.downscale > 1 else []
        more += ["--holdout", 8] if self.scene == FOX else []
        return more + (["--preset", self.preset] if self.preset else [])

    @property
    def name(self) -> str:
        """Of its method."""
        return self.method if self.preset is None else f"{self.method} --preset {self.preset}"


RUNS = (
    Asked(LEGO, 6, "100 x 100", 8, target=29.5),
    Asked(LEGO, 60, "100 x 100", 8, target=32.5),
    Asked(LEGO, 300, "400 x 400", 2, target=32.3),
    Asked(LEGO, 900, "800 x 800", 1, target=32.0),
    Asked(FERN, 300, "504 x 378", target=24.0),
    Asked(FOX, 300, "135 x 240", 4, target=24.0),
)
OF_SURFACE = Asked(LEGO, 60, "200 x 200", 4)
SLOW = (
    Asked(LEGO, 60, "100 x 100", 8),
    Asked(LEGO, 600, "100 x 100", 8, "nerf", "lowres", target=22.0),
    Asked(LEGO, 60, "100 x 100", 8, "nerf", "lego", views=2),
)
WHAT = (
    "`isofield train METHOD --data SCENE --seconds S`, then `isofield evaluate RUN`: the test views of the "
    "scene's own split (lego, over white), every 8th frame (fern; fox with `--holdout 8`). The budget counts "
    "training alone; besides are loading, compiled kernels warmed up and saving, the seconds of the whole "
    "command less the budget. PSNR: mean of the views' own. SSIM: Gaussian window of 11, valid. Perceptual: "
    "by a fixed network of random convolutions (`perceptual_random_convolutions_mean`, no LPIPS). Blank: "
    "PSNR of a picture of the background alone. Peak memory: resident, of training."
)
BESIDE = (
    "The paper's method: `lowres`, the same code with smaller numbers; and the published settings (those of "
    "every PyTorch copy of them) in the minute that `ngp` has, judged on two views. Beside them nerfstudio's "
    "nerfacto, whose defaults take a core over 20 s for the first step, made smaller by hand "
    "(`peer_nerfstudio.py`). Columns as in the section before."
)
SURFACE = (
    "`isofield extract RUN` with every default on the 200 x 200 run, then `isofield evaluate RUN`, which "
    "renders the mesh from the test cameras: its silhouette beside their alpha, its colours inside the "
    "silhouette."
)


def main() -> None:
    """Train, judge, print, draw, write."""
    parser = flags(__doc__)
    parser.add_argument("--surface", action="store_true", help="the surface of a scene instead")
    parser.add_argument("--slow", action="store_true", help="the paper's method and nerfstudio instead")
    parser.add_argument(
        "--nerfstudio", metavar="PYTHON", help="a Python that has nerfstudio: its row of --slow"
    )
    arguments = parser.parse_args()
    isofield("doctor", "--warm")
    with tempfile.TemporaryDirectory() as name:
        folder, small = Path(name), arguments.small
        if arguments.surface:
            rows, missed, _ = _rows((OF_SURFACE,), folder, small)
            body = [SURFACE, table(HEADER, rows), _surface(folder / "0")]
            publish("scenes-surface", "The surface of a scene", body, arguments)
        elif arguments.slow:
            rows, missed, curves = _rows(SLOW, folder, small)
            if arguments.nerfstudio:
                rows.append(_peer(arguments.nerfstudio, 5 if small else 60))
            if arguments.write:
                _draw(curves)
            shown = f"![PSNR against seconds, nerf and ngp]({PICTURE.relative_to(ROOT / 'docs')})"
            curve = "PSNR on 4,096 pixels of the test views (`nerf`: 1,024) while training:"
            body = [BESIDE, table(HEADER, rows), curve, shown, missed]
            publish("scenes-nerf", "The paper's method beside the fast one", body, arguments)
        else:
            rows, missed, _ = _rows(RUNS, folder, small)
            publish(
                "scenes", "Photographs to radiance fields", [WHAT, table(HEADER, rows), missed], arguments
            )


def _rows(
    runs: tuple[Asked, ...], folder: Path, small: bool
) -> tuple[list[tuple], str, dict[str, list[dict]]]:
    """Rows of the table, in words what was missed, and the logs by name."""
    rows, missed, logs = [], [], {}
    for number, asked in enumerate(runs):
        run = folder / str(number)
        trained, judged = _run(asked, run, small)
        lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines()
        log = logs[f"{asked.name}, {asked.seconds} s"] = [json.loads(line) for line in lines]
        rows.append(_cells(asked, trained, log, judged))
        reached = judged["figures"]["psnr_mean_of_images_db"]
        if asked.target is not None and reached < asked.target:
            missed.append(
                f"{asked.scene}, {asked.size}, {asked.seconds} s: {reached:.2f} of {asked.target} dB"
            )
        print(*rows[-1], sep="  ", file=sys.stderr, flush=True)
    words = (
        "Short of what was asked: " + "; ".join(missed) if missed else "Every figure asked for is reached."
    )
    return rows, words, logs


def _run(asked: Asked, run: Path, small: bool) -> tuple[Measured, dict]:
    budget = ("--steps", FLOOR_STEPS) if small else ("--seconds", asked.seconds)
    data = ("--data", DATA / asked.scene, *asked.options)
    trained = isofield("train", asked.method, *data, *budget, "--out", run, "--json")
    views = ("--views", 1) if small else ("--views", asked.views) if asked.views else ()
    return trained, isofield("evaluate", run, *views, "--json").json


def _peer(python: str, seconds: int) -> tuple:
    """The row of nerfstudio on lego at 100 x 100."""
    program = str(Path(__file__).with_name("peer_nerfstudio.py"))
    options = ["--data", str(DATA / LEGO), "--downscale", "8", "--seconds", str(seconds)]
    trained = measure([python, program, *options])
    answer = trained.json
    return (
        LEGO, f"{answer['version']}, {answer['method']}", "100 x 100", f"{seconds} s", "-",
        f"{answer['steps']:,}", f"{answer['psnr_mean_of_images_db']:.2f}", "-", "-", "-", "-",
        f"{answer['seconds_per_view']:.3f}", trained.peak_text, "-",
    )  # fmt: skip


def _cells(asked: Asked, trained: Measured, log: list[dict], judged: dict) -> tuple:
    figures, target = judged["figures"], asked.target
    return (
        asked.scene, asked.name, asked.size, f"{asked.seconds} s",
        f"{trained.seconds - log[-1]['seconds']:.1f} s", f"{log[-1]['step']:,}",
        f"{figures['psnr_mean_of_images_db']:.2f}", f"{figures['psnr_least_of_images_db']:.2f}",
        f"{figures['ssim_gaussian11_valid_mean']:.3f}",
        f"{figures['perceptual_random_convolutions_mean']:.3f}",
        f"{figures['psnr_blank_mean_of_images_db']:.2f}", f"{figures['seconds_per_view']:.3f}",
        trained.peak_text, "-" if target is None else f"{target}",
    )  # fmt: skip


def _surface(run: Path) -> str:
    extracted = isofield("extract", run, "--json")
    figures, certificate = isofield("evaluate", run, "--json").json["figures"], extracted.json
    header = ("seconds", "peak memory", "faces", "closed", "silhouette IoU", "worst", "PSNR of its colours")
    row = (
        *extracted.cells, f"{certificate['faces']:,}", certificate["closed"],
        f"{figures['mesh_silhouette_iou_mean_of_images']:.3f}",
        f"{figures['mesh_silhouette_iou_least_of_images']:.3f}",
        f"{figures['mesh_psnr_inside_silhouette_mean_of_images_db']:.2f}",
    )  # fmt: skip
    return table(header, [row])


def _draw(curves: dict[str, list[dict]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    for name, log in curves.items():
        axis.semilogx(
            [line["seconds"] for line in log], [line["psnr_held_out_db"] for line in log], label=name
        )
    axis.set(xlabel="seconds of training", ylabel="PSNR, dB")
    axis.legend()
    axis.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
