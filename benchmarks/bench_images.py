"""Pictures: what is done to coordinates before the network (Tancik et al. 2020), and a picture in a quarter
of its bytes."""

import json
import tempfile
from pathlib import Path

import PIL.Image
import skimage.data
from command import isofield
from report import flags, publish, table

PICTURES = ("astronaut", "immunohistochemistry")
PACKAGES = ("scikit-image", "pillow")
ENCODINGS = ("none", "basic", "positional", "gaussian")
COMPARED = (
    "PSNR in dB on the odd rows and columns of {pictures} of scikit-image at 512 x 512, after training on "
    "the even ones, as in the published notebook. The same network (3 hidden layers of 256, ReLU, sigmoid), "
    "the notebook's learning rates, falling to 0 along a cosine; {steps} steps of 8,192 pixels instead of "
    "2,000 of all 65,536. Seconds are those of training."
)
QUARTER = (
    "`isofield fit astronaut.png` with every default: PSNR of the 8-bit reconstruction, from weights rounded "
    "to float16, all of which are counted (grids and network)."
)


def main() -> None:
    """Fit, read the figures, print, write."""
    parser = flags(__doc__)
    parser.add_argument("--quarter", action="store_true", help="a picture in a quarter of its bytes instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in PICTURES:
            PIL.Image.fromarray(getattr(skimage.data, name)()).save(place / f"{name}.png")
        if arguments.quarter:
            body = _quarter(place, arguments.small)
            publish("image-bytes", "A picture in a quarter of its bytes", body, arguments, PACKAGES)
        else:
            publish("images", "Pictures", _encodings(place, arguments.small), arguments, PACKAGES)


def _encodings(place: Path, small: bool) -> list[str]:
    """Tancik's comparison on every picture."""
    steps = 30 if small else 2000
    rows, reached = [], {}
    for encoding in ENCODINGS:
        settings = place / f"{encoding}.json"
        settings.write_text(json.dumps({"encoding": encoding, "stride": 2}))
        cells = []
        for name in PICTURES:
            answer = _fit(place, name, encoding, "--config", settings, "--steps", steps)
            reached[name, encoding] = answer["metrics"]["figures"]["psnr_held_out_db"]
            cells += [f"{reached[name, encoding]:.2f}", f"{answer['seconds']['training']:.0f} s"]
        rows.append((encoding, *cells))
    header = ("encoding", *(cell for name in PICTURES for cell in (name, "training")))
    return [
        COMPARED.format(pictures=" and ".join(PICTURES), steps=f"{steps:,}"),
        table(header, rows),
        " ".join(_finding(name, reached) for name in PICTURES),
    ]


def _quarter(place: Path, small: bool) -> list[str]:
    """The default on the first picture."""
    answer = _fit(place, PICTURES[0], "default", *(("--steps", 100) if small else ()))
    figures = answer["metrics"]["figures"]
    header = ("picture", "bytes of its pixels", "bytes of the weights", "PSNR in dB", "training", "in all")
    row = (
        PICTURES[0],
        f"{512 * 512 * 3:,}",
        f"{figures['float16_bytes']:,}",
        f"{figures['psnr_float16_db']:.2f}",
        f"{answer['seconds']['training']:.1f} s",
        f"{answer['seconds']['total']:.1f} s",
    )
    return [QUARTER, table(header, [row])]


def _fit(place: Path, name: str, run: str, *options: object) -> dict:
    return isofield("fit", place / f"{name}.png", *options, "--out", place / f"{name}-{run}", "--json").json


def _finding(name: str, reached: dict[tuple[str, str], float]) -> str:
    none, basic, positional, gaussian = (reached[name, encoding] for encoding in ENCODINGS)
    ordered = none < basic < positional and basic < gaussian and gaussian > positional - 1
    order = "The paper's order holds" if ordered else "The paper's order does NOT hold"
    return f"{order} on {name}: Gaussian features are {gaussian - none:.1f} dB above none."


if __name__ == "__main__":
    main()
