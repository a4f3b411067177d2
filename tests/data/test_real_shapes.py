"""Every real file loads, with the counts and boxes that its description gives."""

import numpy as np
import pytest

from isofield.data import load

# file under ../shared/data, kind, vertices, faces, from shapes.md and images.md (seams joined)
FILES = """
meshes/armadillo.ply mesh 43243 86482
meshes/beast.ply mesh 32311 64618
meshes/beetle.ply mesh 1148 2053
meshes/boot.ply mesh 19931 39906
meshes/bunny-watertight-7k.ply mesh 3485 6966
meshes/decimated-knight.ply mesh 502 1000
meshes/fandisk.ply mesh 6475 12946
meshes/nefertiti.ply mesh 49971 99938
meshes/pizza.ply mesh 24916 49954
meshes/plane-holes.ply mesh 8519 16747
meshes/plane.ply mesh 8730 17456
meshes/rocker-arm.ply mesh 10044 20088
meshes/spot.ply mesh 2930 5856
meshes/stanford-bunny.ply mesh 35947 69451
meshes/suzanne.ply mesh 507 968
meshes/sword.ply mesh 22293 44582
meshes/teapot.ply mesh 3644 6320
meshes/three-holes.ply mesh 3596 7200
meshes/truck.ply mesh 2956 4770
meshes_textured/spot/spot.obj mesh 2930 5856
meshes_textured/fuze/fuze.obj mesh 502 1000
meshes_textured/duck/duck.glb mesh 2108 4212
meshes_textured/viking_room/viking_room.obj mesh - 3828
meshes_textured/cars/sedan.obj mesh - 2032
meshes_textured/cars/van.obj mesh - 2082
meshes_textured/cars/garbage-truck.obj mesh - 3124
meshes_textured/milk_truck/milk_truck.glb mesh - -
shapes/CornellBox.glb mesh - 36
shapes/modelnet10_raw_off/chair_0890.off mesh - 2996
shapes/modelnet10_raw_off/chair_0891.off mesh - 4821
shapes/modelnet10_raw_off/chair_0892.off mesh - 2899
shapes/modelnet10_raw_off/chair_0893.off mesh - 4230
sequences/gltf/Fox.glb mesh - 576
scans/bunny/bun000.ply points 40256 0
scans/bunny/bun_zipper.ply mesh 35947 69451
rooms/room_scan1.npz points 45933 0
rooms/room_scan2.npz points 45993 0
shapes/onet_layout_sample/90000021/cup_021/pointcloud.npz points 20000 0
"""

BOXES = {
    "meshes_textured/spot/spot.obj": ((-0.47, -0.74, -0.67), (0.47, 0.95, 1.05)),
    "meshes_textured/fuze/fuze.obj": ((-0.036, -0.037, 0.004), (0.036, 0.037, 0.219)),
    "meshes_textured/duck/duck.glb": ((-0.69, 0.10, -0.61), (0.96, 1.64, 0.54)),
    "meshes_textured/milk_truck/milk_truck.glb": ((-2.43, 0, -1.40), (2.44, 2.58, 1.40)),
    "meshes_textured/viking_room/viking_room.obj": ((-0.59, -0.72, -0.11), (0.74, 0.74, 0.93)),
}


@pytest.mark.parametrize("row", FILES.split("\n")[1:-1])
def test_real_file_has_its_published_counts(shared, row):
    name, kind, vertices, faces = row.split()
    shape = load(shared / "data" / name)
    assert shape.kind == kind
    assert vertices in ("-", str(len(shape.vertices)))
    assert faces in ("-", str(len(shape.faces)))
    if name.endswith(".npz"):
        assert shape.normals is not None
    if name in BOXES:
        np.testing.assert_allclose(
            [shape.vertices.min(axis=0), shape.vertices.max(axis=0)], BOXES[name], atol=0.006
        )


def test_every_piece_of_furniture_stands_in_its_box(shared):
    folder = shared / "data" / "shapes" / "furniture"
    shapes = [load(path) for path in sorted(folder.glob("*.gltf"))]
    assert len(shapes) == 53
    assert all(44 <= len(shape.faces) <= 1018 for shape in shapes)


def area(triangles):
    return np.linalg.norm(
        np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1
    )


def test_another_reader_sees_the_same_triangles(shared):
    trimesh = pytest.importorskip("trimesh")
    for name in ("cars/sedan.obj", "milk_truck/milk_truck.glb", "duck/duck.glb"):
        path = shared / "data" / "meshes_textured" / name
        ours, theirs = load(path), trimesh.load(path, force="mesh", process=False)

        areas = [np.sort(area(t)) for t in (ours.vertices[ours.faces], theirs.triangles)]
        np.testing.assert_allclose(*areas, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(ours.vertices.min(axis=0), theirs.bounds[0], atol=1e-6)
