"""What is proved about a mesh, and what is only computed in floating point."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..kernels.topology import components, edges_and_fans
from .mesh import Mesh

__all__ = ["Certificate", "certify", "in_words"]

_CHUNK = 1 << 18  # faces measured at a time
_MOST_PAIRS = 100_000  # of crossing faces


@dataclass(frozen=True)
class Certificate:
    """Findings about a mesh; lengths in the units of its vertices.

    manifold: every edge has one or two faces, and the faces around every vertex form one fan.
    closed: every edge has two faces or more. oriented: two faces always run along their edge in opposite
    directions. volume: enclosed, signed; outward: it is positive (both None unless closed and oriented).
    genus: the sum over components (None unless closed, manifold and oriented).
    degenerate_faces: faces that name a vertex twice, left out of all counts of edges, and faces of no area.
    self_intersections: pairs of faces that cross (None: not counted, see `computed`).
    proved: what follows from integers alone or from the construction. computed: what rests on floating point.
    """

    vertices: int
    faces: int
    manifold: bool
    closed: bool
    oriented: bool
    outward: bool | None
    components: int
    euler_number: int
    genus: int | None
    area: float
    volume: float | None
    boundary_edges: int
    non_manifold_edges: int
    non_manifold_vertices: int
    misoriented_edges: int
    degenerate_faces: int
    unused_vertices: int
    self_intersections: int | None
    proved: tuple[str, ...]
    computed: tuple[str, ...]

    def to_json(self) -> dict:
        """The same as a dictionary of plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}


def certify(
    mesh: Mesh, self_intersection_limit: int = 1_000_000, from_marching_cubes: bool = False
) -> Certificate:
    """Examine a mesh.

    from_marching_cubes: the mesh is as `extract_surface` or `marching_cubes` left it, neither refined nor
    simplified nor moved; then its faces cannot cross. self_intersection_limit: in other meshes of at most so
    many faces crossing faces are counted.
    """
    faces, count = mesh.faces, len(mesh.vertices)
    area, volume, flat, repeated = _measure(mesh)
    proper = faces[~_names_twice(faces)] if repeated else faces
    found = edges_and_fans(proper, count)
    names = components(proper, count)
    parts = int(np.count_nonzero(names == np.arange(count, dtype=np.int32))) - (count - found.used)
    manifold = found.non_manifold == 0 and found.pinched == 0
    closed = found.boundary == 0 and len(proper) > 0
    oriented = found.misoriented == 0 and found.non_manifold == 0
    euler = found.used - found.edges + len(proper)
    solid = closed and oriented
    crossing, proved, computed = _crossing(mesh, self_intersection_limit, from_marching_cubes)
    return Certificate(
        vertices=count,
        faces=len(faces),
        manifold=manifold,
        closed=closed,
        oriented=oriented,
        outward=volume > 0 if solid else None,
        components=parts,
        euler_number=euler,
        genus=parts - euler // 2 if solid and manifold else None,
        area=area,
        volume=volume if solid else None,
        boundary_edges=found.boundary,
        non_manifold_edges=found.non_manifold,
        non_manifold_vertices=found.pinched,
        misoriented_edges=found.misoriented,
        degenerate_faces=repeated + flat,
        unused_vertices=count - found.used,
        self_intersections=crossing,
        proved=(
            "manifold, closed, oriented, components, Euler number, genus: exact, from vertex numbers",
            *proved,
        ),
        computed=("area, volume, outward and faces of no area: double precision", *computed),
    )


def in_words(certificate: dict) -> str:
    """The findings that matter in one line, of a certificate as plain values."""
    good = [name for name in ("closed", "manifold", "oriented") if certificate[name]]
    parts = "1 part" if certificate["components"] == 1 else f"{certificate['components']} parts"
    findings = ", ".join(good) or "neither closed nor manifold"
    return f"{certificate['faces']:,} faces, {findings}, {parts}"


def _names_twice(faces: np.ndarray) -> np.ndarray:
    return (faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 2] == faces[:, 0])


def _measure(mesh: Mesh) -> tuple[float, float, int, int]:
    """Area, signed volume, number of faces of no area, number of faces that name a vertex twice."""
    area = volume = 0.0
    flat = repeated = 0
    origin = mesh.vertices[:1].astype(np.float64)  # seen from afar, the volume would drown in rounding
    for start in range(0, len(mesh.faces), _CHUNK):
        part = mesh.faces[start : start + _CHUNK]
        a, b, c = (mesh.vertices[part[:, k]] - origin for k in range(3))
        normals = np.cross(b - a, c - a)
        twice_areas = np.sqrt(np.einsum("ij,ij->i", normals, normals))
        named_twice = _names_twice(part)
        area += float(twice_areas.sum()) / 2
        volume += float(np.einsum("ij,ij->", a, normals)) / 6
        flat += int(np.count_nonzero((twice_areas == 0) & ~named_twice))
        repeated += int(np.count_nonzero(named_twice))
    return area, volume, flat, repeated


def _crossing(
    mesh: Mesh, limit: int, from_marching_cubes: bool
) -> tuple[int | None, tuple[str, ...], tuple[str, ...]]:
    """Number of pairs of crossing faces, and what to say about it as proved and as computed."""
    if from_marching_cubes:
        text = "no self-intersections, by construction: each face lies in its grid cell, cells meet in edges"
        return 0, (text,), ()
    if len(mesh.faces) > limit:
        return None, (), (f"self-intersections: not counted in more than {limit} faces",)
    from ..kernels.bvh import self_intersections

    pairs = len(self_intersections(mesh.vertices, mesh.faces, _MOST_PAIRS))
    text = "self-intersections: all pairs of faces whose boxes meet; what rounding could hide is counted"
    return pairs, (), (text if pairs < _MOST_PAIRS else f"{text}; {_MOST_PAIRS} or more",)
