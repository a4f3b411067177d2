"""What is a good output representation? Voxels, points, mesh, occupancy and SDF network at equal bytes:
`isofield compare` on three shapes at four sizes."""

import tempfile
from pathlib import Path

from command import isofield
from inputs import mesh_path
from PIL import Image
from report import PICTURES, flags, publish, table

SHAPES = ("stanford-bunny", "armadillo", "fandisk")
SIZES = (4096, 16384, 65536, 262144)
WIDTH = 1400  # pixels of the picture for the documents
ORDER = ("voxels", "points", "mesh", "occupancy", "sdf")
INTRODUCTION = (
    "Mean distance, both ways, in percent of the longest edge, of the surface that each representation gives "
    "back from at most so many bytes of payload; below it the intersection over union; seconds to make all "
    "five. Voxels: one bit a cell in the shape's own box, marching cubes at 1/2. Points: three float16, our "
    "own reconstruction from raw points. Mesh: three float16 a vertex, three 16-bit indices a face, after "
    "quadric simplification. Networks: float16 weights, marching cubes on 256 cells."
)


def main() -> None:
    """Compare, print, write; the figure of the bunny goes to the pictures."""
    parser = flags(__doc__)
    arguments = parser.parse_args()
    shapes, sizes = (SHAPES[:1], SIZES[:1]) if arguments.small else (SHAPES, SIZES)
    rows, ahead = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for name in shapes:
            out = Path(folder) / name
            asked = ",".join(map(str, sizes))
            answer = isofield("compare", mesh_path(name), "--bytes", asked, "--out", out, "--json").json
            for size in sizes:
                of_size = {
                    row["representation"]: row for row in answer["rows"] if row["bytes_allowed"] == size
                }
                figures = {kind: of_size[kind]["figures"] for kind in ORDER}
                seconds = sum(of_size[kind]["seconds"] for kind in ORDER)
                distance = {kind: 100 * figures[kind]["distance_mean"] for kind in ORDER}
                rows.append(
                    (f"{name}, {size // 1024} KiB", *(f"{distance[k]:.4f}" for k in ORDER), f"{seconds:.0f}")
                )
                rows.append(("IoU", *(f"{figures[kind]['iou']:.4f}" for kind in ORDER), ""))
                ahead[name, size] = distance
            if arguments.write and name == SHAPES[0]:
                figure = Image.open(out / "figure.png")
                figure.resize((WIDTH, figure.height * WIDTH // figure.width)).quantize(128).save(
                    PICTURES / "compare.png", optimize=True
                )
    header = ("shape and bytes", *ORDER, "seconds")
    publish(
        "compare",
        "Representations at equal bytes",
        [INTRODUCTION, table(header, rows), _finding(ahead)],
        arguments,
    )


def _finding(ahead: dict[tuple[str, int], dict[str, float]]) -> str:
    beaten = [k for k, d in ahead.items() if d["sdf"] >= min(d["voxels"], d["points"])]
    mesh = [f"{name} at {size // 1024} KiB" for (name, size), d in ahead.items() if d["mesh"] < d["sdf"]]
    first = (
        "The SDF network is nearer than voxels and points at every size on every shape."
        if not beaten
        else f"The SDF network is NOT nearer than voxels and points at: {beaten}."
    )
    return f"{first} The mesh is nearer than the SDF network on {', '.join(mesh) or 'none'}."


if __name__ == "__main__":
    main()
