"""The picture of the README: shapes fitted at standard quality, extracted, and drawn by isofield itself.

`python benchmarks/pictures.py [RUNS]`: RUNS is a folder of finished runs by the name of their input; what is
missing there is fitted first.
"""

import sys
import tempfile
from pathlib import Path

from inputs import mesh_path

import isofield
from isofield import data
from isofield.viewing.picture import contact_sheet, draw_mesh, write_png

SHAPES = ("armadillo", "stanford-bunny", "suzanne", "teapot", "fandisk", "rocker-arm")
TARGET = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "shapes.png"
SIZE = 400
WHITE = (255, 255, 255)


def main() -> None:
    """Fit what is missing, draw, write."""
    runs = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    images, labels = [], []
    for name in SHAPES:
        if not (runs / name / "mesh.ply").is_file():
            isofield.fit(mesh_path(name), out=runs / name)
        mesh = data.load(runs / name / "mesh.ply")
        images.append(draw_mesh(mesh.vertices, mesh.faces, normals=mesh.normals, size=SIZE, background=WHITE))
        labels.append(f"{name}, {len(mesh.faces):,} faces")
    write_png(TARGET, contact_sheet(images, labels, 3))
    print(TARGET)


if __name__ == "__main__":
    main()
