"""The page of a run: one HTML file that opens offline, with the shape, errors, slices, curves, numbers."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np

from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from .charts import MINUS, Curve, number_text
from .colours import Kind, colour_map, error_range
from .packing import pack, pack_mesh, pack_points, quantise, simplified
from .page_parts import (
    Number,
    address_of_picture,
    asset,
    curves_section,
    notes_section,
    numbers_section,
    tables_section,
    with_parts,
    write_document,
)
from .picture import CLAY, UP_AXES, Up, draw_mesh
from .slices import Slices

__all__ = ["SCRIPTS", "Page", "stage", "write_page"]

MOST_FACES = 150_000  # shown; more are simplified for display
MOST_POINTS = 100_000
SLICE_STEPS = 4094  # even, so that the surface itself is a step
SCRIPTS = ("arrays.js", "slices.js", "drawing.js", "controls.js")
STILL = 640  # pixels of the picture for browsers that cannot draw


@dataclass(frozen=True, eq=False)
class Page:
    """All that a page shows. Every string is shown as it is, whatever characters it holds.

    title. subtitle: one sentence with the headline result. command: what made it. mesh: the result, in the
    input's frame. input_mesh, or input_points [N, 3]: what it was made from, same frame. input_colours: uint8
    [N, 3] of the points, or None. input_confidence: [N] in [0, 1], how clearly each point parts inside from
    outside, or None. error: [V], distance of each vertex of `mesh` to the input as a share of the longest
    edge, signed (negative inside) or not. slices: the field. certificate, details: tables by name; a value
    that is itself a mapping makes a table of its own under its name. notes: sentences, for instance doubts.
    up: the axis that points up in the first view.
    """

    title: str
    subtitle: str
    command: str
    mesh: Mesh
    input_mesh: Mesh | None = None
    input_points: np.ndarray | None = None
    input_colours: np.ndarray | None = None
    input_confidence: np.ndarray | None = None
    error: np.ndarray | None = None
    slices: Slices | None = None
    curves: tuple[Curve, ...] | list[Curve] = ()
    numbers: tuple[Number, ...] | list[Number] = ()
    certificate: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] | list[str] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    up: Up = "y"


def write_page(path: str | os.PathLike, page: Page) -> None:
    """Write `page` as one HTML file that opens from disk in any browser and loads nothing.

    Meshes of more than MOST_FACES faces are simplified for display, which the page says. Raises InputError
    for a mesh without faces, FailedError where the file cannot be written.
    """
    if len(page.mesh.faces) == 0:
        raise InputError("the page has no faces to show", "mesh", "Extract a surface first.")
    if page.error is not None and len(page.error) != len(page.mesh.vertices):
        found = f"{len(page.error)} errors for {len(page.mesh.vertices)} vertices"
        raise InputError(found, "error", "Give one for every vertex.")
    main = f"{stage(page)}\n{_sections(page)}"
    write_document(path, page.title, page.subtitle, page.command, main, (), SCRIPTS)


def stage(page: Page) -> str:
    """The viewer of the page's shape as HTML, with its data; it needs SCRIPTS."""
    data, shown = _data(page)
    parts = {
        "still": _still(page),
        "show_choice": _show_choice(page),
        "mode_choices": _mode_choices(page),
        "slice_panel": _slice_panel(page.slices),
        "error_ends": _error_ends(data["error"]),
        "shown": " ".join(escape(sentence) for sentence in shown),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    return with_parts(asset("stage.html"), parts)


# ---- what the viewer draws


def _data(page: Page) -> tuple[dict, list[str]]:
    """The record that the scripts read, and sentences on how it differs from what was given."""
    shown = []
    mesh, error = simplified(page.mesh, page.error, MOST_FACES)
    if mesh is not page.mesh:
        shown.append(f"Drawn with {_share(mesh.faces, page.mesh.faces)} faces; the mesh itself has all.")
    used = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    centre = (used.min(axis=0) + used.max(axis=0)) / 2
    error_record, ends = None, (0.0, 1.0)
    if error is not None:
        ends = error_range(error)
        ramp = _ramp("diverging" if ends[0] < 0 else "sequential")
        error_record = {"low": ends[0], "high": ends[1], "ramp": ramp}
    given = None
    if page.input_mesh is not None:
        input_mesh, _ = simplified(page.input_mesh, None, MOST_FACES)
        given = pack_mesh(input_mesh, None, (0.0, 1.0))
        if input_mesh is not page.input_mesh:
            shown.append(f"The input is drawn with {_share(input_mesh.faces, page.input_mesh.faces)} faces.")
    elif page.input_points is not None:
        points = np.asarray(page.input_points, np.float64)
        drawn = np.arange(len(points))
        if len(points) > MOST_POINTS:
            drawn = np.random.default_rng(0).choice(len(points), MOST_POINTS, replace=False)
            shown.append(f"The input is drawn with {_share(drawn, points)} points.")
        more = (None if v is None else v[drawn] for v in (page.input_confidence, page.input_colours))
        given = pack_points(points[drawn], *more)
    if page.slices is not None and not np.isfinite(page.slices.values).all():
        shown.append("Field values that are not finite are shown as outside.")
    record = {
        "up": page.up,
        "mode": "shaded" if page.mesh.colours is None else "colours",
        "axes": UP_AXES,
        "centre": centre.tolist(),
        "radius": float(np.linalg.norm(used - centre, axis=1).max()) or 1.0,
        "result": pack_mesh(mesh, error, ends),
        "input": given,
        "error": error_record,
        "confidence": None if page.input_confidence is None else {"ramp": _confidence_ramp()},
        "slices": None if page.slices is None else _slices_record(page.slices),
    }
    return record, shown


def _share(some: np.ndarray, of: np.ndarray) -> str:
    return f"{number_text(len(some))} of {number_text(len(of))}"


def _slices_record(slices: Slices) -> dict:
    depth = slices.inside.depth(np.asarray(slices.values, np.float64))
    finite = np.isfinite(depth)
    sizes = np.abs(depth[finite]) if finite.any() else np.ones(1)
    # a few huge values (logits, densities) should not take the steps from all others; distances have none
    limit = float(min(sizes.max(), 3 * np.quantile(sizes, 0.95))) or 1.0
    depth = np.where(finite, depth, -limit)
    return {
        "counts": depth.shape,
        "low": slices.low,
        "high": slices.high,
        "limit": limit,
        "level": slices.inside.level,
        "sign": 1 if slices.inside.depth(1.0) > slices.inside.depth(0.0) else -1,
        "unit": slices.unit,
        "ramp": _ramp("diverging"),
        # second differences of a smooth field are nearly all small
        "values": pack(quantise(depth.reshape(-1, 1), -limit, limit, SLICE_STEPS), 2),
    }


def _confidence_ramp() -> str:
    """From dark, where the side is unclear, to light: what stands out is what to look at."""
    colours = colour_map(np.linspace(0.8, 0.15, 256), 0.0, 1.0)
    return base64.b64encode(colours.tobytes()).decode("ascii")


def _ramp(kind: Kind) -> str:
    return base64.b64encode(colour_map(np.arange(256), 0.0, 255.0, kind).tobytes()).decode("ascii")


def _still(page: Page) -> str:
    mesh = page.mesh
    colours = CLAY if mesh.colours is None else mesh.colours
    image = draw_mesh(
        mesh.vertices, mesh.faces, normals=mesh.normals, colours=colours, size=STILL, up=page.up
    )
    return address_of_picture(image)


# ---- controls that depend on what there is


def _choice(name: str, value: str, label: str) -> str:
    return f'<label><input type="radio" name="{name}" value="{value}"><span>{label}</span></label>'


def _show_choice(page: Page) -> str:
    if page.input_mesh is None and page.input_points is None:
        return ""
    names = {"result": "Result", "input": "Input", "both": "Side by side", "over": "Over"}
    choices = "".join(_choice("show", value, label) for value, label in names.items())
    return f'<fieldset class="choice live"><legend>Shape</legend><div>{choices}</div></fieldset>'


def _mode_choices(page: Page) -> str:
    coloured = page.input_colours is not None or any(
        mesh is not None and mesh.colours is not None for mesh in (page.mesh, page.input_mesh)
    )
    there = {
        "error": page.error is not None,
        "colours": coloured,
        "confidence": page.input_confidence is not None,
    }
    return "".join(_choice("mode", name, name.capitalize()) for name, is_there in there.items() if is_there)


def _error_ends(record: dict | None) -> str:
    if record is None:
        return ""
    high = f"{record['high'] * 100:.3g} %"
    ends = (
        (f"{MINUS}{high}, inside", "0", f"{high}, outside") if record["low"] < 0 else ("0", f"{high} or more")
    )
    return "".join(f"<span>{end}</span>" for end in ends)


def _slice_panel(slices: Slices | None) -> str:
    if slices is None:
        return ""
    axes = "".join(_choice("axis", str(axis), "xyz"[axis]) for axis in range(3))
    return f"""<div class="slices">
<div class="head"><h2>Field: {escape(slices.name)}</h2>
<fieldset class="choice small" aria-label="Axis of the slice"><div>{axes}</div></fieldset></div>
<canvas id="slice" role="img" aria-label="Slice of the field"></canvas>
<input type="range" name="at" min="0" max="100" step="0.5" value="50" aria-label="Position of the slice">
<div class="reading"><span id="place"></span><span id="value"></span></div>
<div id="slice-legend" class="ramp"></div>
<div class="ends"><span>outside</span><span>surface</span><span>inside</span></div>
<div class="switches live"><label><input type="checkbox" name="plane">Show in view</label>
<label><input type="checkbox" name="cut" id="cut" disabled>Cut away</label></div>
</div>"""


def _sections(page: Page) -> str:
    blocks = (
        notes_section(page.notes),
        numbers_section(page.numbers),
        curves_section(page.curves),
        tables_section({"Certificate": page.certificate, "Details": page.details}),
    )
    return "\n".join(block for block in blocks if block)
