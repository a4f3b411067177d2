"""How a radiance field grows: quality with seconds at three sizes of pictures, memory with their number and
size."""

import json
import tempfile
from itertools import pairwise
from pathlib import Path

from command import isofield
from inputs import DATA
from report import PICTURES, ROOT, flags, growth_exponent, publish, table

from isofield.methods.ngp import Config

LEGO = DATA / "nerf" / "lego"
BUDGETS = (10, 40, 150, 600)
DOWNSCALES = (8, 4, 2)
COUNTS = (25, 50, 100)
PICTURE = PICTURES / "scenes-growth.png"
WHAT = (
    "`isofield train ngp --data nerf/lego --downscale N --seconds S`, then `isofield evaluate RUN`: PSNR of "
    "the test views. Every figure is a training of its own, whose schedule fits its budget. Seconds for a "
    "million samples: those of the longest, all that a step does counted in."
)
MEMORY = (
    "Peak of resident memory of `isofield train ngp --steps 50` on the first so many pictures of lego. "
    "Pictures are kept as bytes: 800 x 800 with alpha are 2.4 MiB each. Growth: k, where memory goes with "
    "the k-th power of the number of pixels, from the row above to this one."
)


def main() -> None:
    """Train, judge, print, draw, write."""
    arguments = flags(__doc__).parse_args()
    isofield("doctor", "--warm")
    budgets = (1, 2) if arguments.small else BUDGETS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reached = {n: [_quality(folder / f"{n}-{s}", n, s) for s in budgets] for n in DOWNSCALES}
        used = [
            (c, n, _peak(folder, c, n))
            for c, n in [*((c, 1) for c in COUNTS), *((100, n) for n in (8, 4, 2))]
        ]
    rows = [
        (f"{800 // n} x {800 // n}", *(f"{psnr:.2f}" for psnr, _ in figures), f"{figures[-1][1]:.2f}")
        for n, figures in reached.items()
    ]
    used.sort(key=lambda row: row[0] * (800 // row[1]) ** 2)
    pixels = [count * (800 // n) ** 2 for count, n, _ in used]
    growth = growth_exponent(pixels, [peak for *_, peak in used])
    taken = [
        (f"{count}", f"{800 // n} x {800 // n}", f"{number / 1e6:.1f}", f"{peak / 2**20:.0f} MiB", k)
        for (count, n, peak), number, k in zip(used, pixels, growth)
    ]
    header = ("pictures", *(f"{seconds} s" for seconds in budgets), "seconds for a million samples")
    body = [
        WHAT, table(header, rows), MEMORY,
        table(("pictures", "size", "million pixels", "peak memory", "growth"), taken),
    ]  # fmt: skip
    if arguments.write:
        _draw(reached)
        body.append(f"![PSNR against seconds at three sizes]({PICTURE.relative_to(ROOT / 'docs')})")
    body.append(_finding(reached))
    publish("scenes-growth", "Growth of radiance fields", body, arguments)


def _quality(run: Path, downscale: int, seconds: int) -> tuple[float, float]:
    """PSNR of the test views, and seconds of training for a million samples."""
    data = ("--data", LEGO, "--downscale", downscale)
    isofield("train", "ngp", *data, "--seconds", seconds, "--out", run, "--json")
    figures = isofield("evaluate", run, "--json").json["figures"]
    last = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    settings = json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]
    config = Config(samples=settings["samples"], growth=settings["growth"])
    samples = sum(config.samples_at(step) for step in range(last["step"]))
    return figures["psnr_mean_of_images_db"], last["seconds"] / (samples / 1e6)


def _peak(folder: Path, count: int, downscale: int) -> int:
    """Bytes of resident memory of training on the first `count` pictures."""
    scene = folder / f"{count}"
    if not scene.is_dir():
        scene.mkdir()
        (scene / "train").symlink_to(LEGO / "train")
        content = json.loads((LEGO / "transforms_train.json").read_text(encoding="utf-8"))
        content["frames"] = content["frames"][:count]
        (scene / "transforms_train.json").write_text(json.dumps(content), encoding="utf-8")
    run = folder / f"memory-{count}-{downscale}"
    data = ("--data", scene, "--downscale", downscale)
    return isofield("train", "ngp", *data, "--steps", 50, "--out", run, "--json").peak


def _finding(reached: dict[int, list[tuple[float, float]]]) -> str:
    falls = [
        f"{800 // n} x {800 // n}"
        for n, figures in reached.items()
        if any(later < earlier for (earlier, _), (later, _) in pairwise(figures))
    ]
    return f"More seconds make worse views at {', '.join(falls)}." if falls else "More seconds always help."


def _draw(reached: dict[int, list[tuple[float, float]]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for downscale, figures in reached.items():
        size = 800 // downscale
        axis.semilogx(BUDGETS, [psnr for psnr, _ in figures], "o-", label=f"{size} x {size}")
    axis.set_xticks(BUDGETS, map(str, BUDGETS))
    axis.minorticks_off()
    axis.set(xlabel="seconds of training", ylabel="PSNR of the test views, dB")
    axis.legend()
    axis.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
