"""The facts of `data check` against closed forms and tables."""

import json

import numpy as np
import pytest

from isofield.data import Shape, load
from isofield.data.check import describe
from isofield.geometry.closed_forms import box_mesh, sphere_mesh, torus_mesh

PLAIN = box_mesh((0.5, 1.0, 1.5), (1.0, 2.0, 3.0))


def shape_of(mesh, faces=None, **more):
    return Shape("test", "mesh", mesh.vertices, mesh.faces if faces is None else faces, **more)


def warned(facts, words):
    return any(words in warning for warning in facts["warnings"])


def test_box_has_its_area_volume_and_nothing_to_warn_of():
    facts = describe(shape_of(PLAIN))
    assert facts["closed"]
    assert facts["oriented"]
    assert facts["components"] == 1
    assert facts["volume"] == pytest.approx(6.0)
    assert facts["area"] == pytest.approx(2 * (2 + 3 + 6))
    assert facts["size"] == [1.0, 2.0, 3.0]
    assert facts["warnings"] == []
    json.dumps(facts, allow_nan=False)


def test_volume_keeps_its_digits_far_from_the_origin():
    facts = describe(shape_of(box_mesh((0.5, 0.5, 0.5), (1e6 + 0.1, 1e6, 1e6))))
    assert facts["volume"] == pytest.approx(1.0, abs=1e-9)
    assert facts["warnings"] == []


def test_missing_face_opens_the_surface():
    facts = describe(shape_of(PLAIN, PLAIN.faces[1:]))
    assert not facts["closed"]
    assert facts["boundary_edges"] == 3
    assert warned(facts, "open")


def test_turned_face_is_inconsistent_along_its_three_edges():
    faces = PLAIN.faces.copy()
    faces[0] = faces[0, ::-1]
    facts = describe(shape_of(PLAIN, faces))
    assert facts["closed"]
    assert facts["misoriented_edges"] == 3
    assert warned(facts, "disagree")


def test_mesh_turned_inside_out_has_negative_volume():
    facts = describe(shape_of(PLAIN, PLAIN.faces[:, ::-1].copy()))
    assert facts["volume"] == pytest.approx(-6.0)
    assert warned(facts, "inward")


def test_fin_makes_a_non_manifold_edge():
    vertices = np.vstack([PLAIN.vertices, [(9.0, 9.0, 9.0)]])
    faces = np.vstack([PLAIN.faces, [(PLAIN.faces[0, 0], PLAIN.faces[0, 1], 8)]]).astype(np.int32)
    facts = describe(Shape("fin", "mesh", vertices, faces))
    assert (facts["non_manifold_edges"], facts["boundary_edges"]) == (1, 2)
    assert warned(facts, "more than two faces")


def test_separate_unused_duplicate_and_flat_parts_are_counted():
    torus = torus_mesh(around=12, across=6)
    vertices = np.vstack([torus.vertices, torus.vertices + 5.0, torus.vertices[:2], [(0.0, 0.0, 0.0)]])
    faces = np.vstack([torus.faces, torus.faces + 72, [(0, 0, 1), (0, 144, 1)]]).astype(np.int32)
    facts = describe(Shape("parts", "mesh", vertices, faces))
    assert facts["components"] == 2
    assert facts["duplicate_vertices"] == 2
    assert facts["degenerate_faces"] == 2
    assert facts["unused_vertices"] == 2


def test_sheet_is_called_flat_and_bare_points_lack_normals():
    sheet = Shape(
        "sheet", "mesh", np.array([(0.0, 0, 0), (1, 0, 0), (0, 1, 0)]), np.array([[0, 1, 2]], np.int32)
    )
    assert warned(describe(sheet), "flat")
    points = Shape("points", "points", sphere_mesh(1).vertices)
    assert warned(describe(points), "no normals")


def test_single_precision_far_from_the_origin_is_warned_of():
    vertices = box_mesh((0.5, 0.5, 0.5), (1e6, 0, 0)).vertices.astype(np.float32).astype(np.float64)
    assert warned(
        describe(Shape("far", "mesh", vertices, PLAIN.faces)), "single precision, about 1 digits of its form"
    )


# vertices, faces, closed, boundary edges, non-manifold edges, pieces: ../shared/data/shapes.md
TABLE = """
stanford-bunny 35947 69451 no 223 0 1
bunny-watertight-7k 3485 6966 yes 0 0 1
fandisk 6475 12946 yes 0 0 1
rocker-arm 10044 20088 yes 0 0 1
three-holes 3596 7200 yes 0 0 1
boot 19931 39906 yes 0 0 1
plane-holes 8519 16747 no 341 0 1
pizza 24916 49954 no 168 0 1
suzanne 507 968 no 42 1 3
teapot 3644 6320 no 1036 0 4
beetle 1148 2053 no 296 47 2
beast 32311 64618 yes 0 2 1
truck 2956 4770 no 1388 54 50
"""


@pytest.mark.parametrize("row", TABLE.split("\n")[1:-1])
def test_real_meshes_have_the_facts_of_the_table(shared, row):
    name, vertices, faces, closed, boundary, non_manifold, pieces = row.split()
    facts = describe(load(shared / "data" / "meshes" / f"{name}.ply"))
    found = [facts[k] for k in ("vertices", "faces", "boundary_edges", "non_manifold_edges", "components")]
    assert found == [int(v) for v in (vertices, faces, boundary, non_manifold, pieces)]
    assert facts["closed"] == (closed == "yes")
    assert (facts["misoriented_edges"] == 0) == (name != "truck")
