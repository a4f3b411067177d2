"""What a shape or a picture is like before anything is trained on it: facts, and warnings with advice."""

from typing import Any

import numpy as np

from ..geometry.certificate import certify
from ..geometry.mesh import Mesh
from ..kernels.topology import first_occurrences
from .image import Image
from .shape import Shape

__all__ = ["describe", "describe_image"]


def describe(shape: Shape) -> dict[str, Any]:
    """Facts of a shape as plain values (ready for JSON), and `warnings`: sentences with advice.

    Lengths are in the file's units. Of a mesh also what `geometry.certificate.certify` finds, in its words.
    """
    used = np.full(len(shape.vertices), shape.kind == "points")
    used[shape.faces] = True
    low, high = shape.vertices[used].min(axis=0), shape.vertices[used].max(axis=0)
    facts: dict[str, Any] = {
        "name": shape.name,
        "kind": shape.kind,
        "vertices": len(shape.vertices),
        "faces": len(shape.faces),
        "box": [low.tolist(), high.tolist()],
        "size": (high - low).tolist(),
        "normals": shape.normals is not None,
        "colours": shape.colours is not None,
        "duplicate_vertices": len(shape.vertices) - len(first_occurrences(shape.vertices)[0]),
    }
    if shape.kind == "mesh":
        facts |= _mesh_facts(shape)
    facts["notes"] = list(shape.notes)
    facts["warnings"] = _warnings(shape, facts)
    return facts


def describe_image(image: Image) -> dict[str, Any]:
    """Facts of a picture as plain values (ready for JSON), and `warnings`, which are none."""
    return {"name": image.name, **image.described(), "fingerprint": image.fingerprint, "warnings": []}


def _mesh_facts(shape: Shape) -> dict[str, Any]:
    """The certificate's findings that matter before training. What crosses is not counted: it takes long."""
    found = certify(Mesh(shape.vertices, shape.faces), self_intersection_limit=0).to_json()
    for name in ("vertices", "faces", "self_intersections", "proved", "computed"):
        del found[name]
    return found


def _warnings(shape: Shape, facts: dict[str, Any]) -> list[str]:
    size = np.array(facts["size"])
    longest, far = float(size.max()), float(np.abs(facts["box"]).max())
    found = []
    if size.min() < 1e-6 * longest:
        found.append(
            "The shape is flat: it encloses no volume, so a field has no inside to show. Give it a thickness."
        )
    if far > 1e4 * longest and np.array_equal(shape.vertices, shape.vertices.astype(np.float32)):
        digits = np.log10(longest / far) + 7.2  # of the 7.2 decimal digits of single precision
        found.append(
            f"The shape lies {far / longest:.0f} times its size from the origin; if made in single "
            f"precision, about {max(digits, 0):.0f} digits of its form are left. Export it in double "
            "precision or near the origin."
        )
    if shape.kind == "points":
        if shape.is_raw:
            left_out = int(np.sum(~shape.used))
            found.append(
                "The points have no normals: these are found from their neighbours, which is easy where "
                f"they are dense and even. Repeated points and outliers, left out: {left_out}."
            )
        return found
    if facts["boundary_edges"]:
        found.append(
            f"The surface is open: edges with one face: {facts['boundary_edges']}. The inside is guessed "
            "across the gaps (winding number); fill the holes where the guess matters."
        )
    if facts["misoriented_edges"]:
        found.append(
            f"Faces disagree on which side is outside; edges where they meet: {facts['misoriented_edges']}. "
            "Make the normals consistent, or the inside may be wrong there."
        )
    if facts["non_manifold_edges"]:
        found.append(
            f"Edges with more than two faces (walls without thickness, parts that touch): "
            f"{facts['non_manifold_edges']}. The winding number still defines an inside."
        )
    if facts["outward"] is False:
        found.append("The faces look inward (the volume is negative); the whole mesh is taken turned over.")
    if facts["duplicate_vertices"] and facts["boundary_edges"]:
        found.append(
            f"Vertices that repeat the position of another: {facts['duplicate_vertices']}. The mesh may be "
            "cut open along seams; merging them ('merge by distance' in mesh editors) may close it."
        )
    if facts["degenerate_faces"]:
        found.append(f"Faces without area, which are ignored: {facts['degenerate_faces']}.")
    return found
