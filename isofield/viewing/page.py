"""The page of a run: one HTML file that opens offline, with the shape, errors, slices, curves, numbers."""

import base64
import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from importlib import resources

import numpy as np
from PIL import Image

from .. import __version__
from ..geometry.mesh import Mesh
from ..runtime.errors import InputError
from ..runtime.files import write_text
from .charts import MINUS, Curve, curve_svg, number_text
from .colours import Kind, colour_map, error_range
from .packing import pack, pack_mesh, pack_points, quantise, simplified
from .picture import CLAY, UP_AXES, Up, draw_mesh
from .slices import Slices

__all__ = ["Number", "Page", "write_page"]

MOST_FACES = 150_000  # shown; more are simplified for display
MOST_POINTS = 100_000
SLICE_STEPS = 4094  # even, so that the surface itself is a step
SCRIPT_PARTS = ("arrays", "slices", "drawing", "controls")
STILL = 640  # pixels of the picture for browsers that cannot draw


@dataclass(frozen=True)
class Number:
    """One figure.

    name, value. meaning: a sentence.
    """

    name: str
    value: float | int | str
    meaning: str = ""


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

    The file's security policy holds the hashes of its one style and its one script: a browser refuses to run
    or load anything else. Meshes of more than MOST_FACES faces are simplified for display, which the page
    says. Raises InputError for a mesh without faces, FailedError where the file cannot be written.
    """
    if len(page.mesh.faces) == 0:
        raise InputError("the page has no faces to show", "mesh", "Extract a surface first.")
    if page.error is not None and len(page.error) != len(page.mesh.vertices):
        found = f"{len(page.error)} errors for {len(page.mesh.vertices)} vertices"
        raise InputError(found, "error", "Give one for every vertex.")
    style, script = _asset("page.css"), "\n".join(_asset(f"{part}.js") for part in SCRIPT_PARTS)
    data, shown = _data(page)
    parts = {
        "title": escape(page.title),
        "subtitle": escape(page.subtitle),
        "command": escape(page.command),
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "still": _still(page),
        "show_choice": _show_choice(page),
        "mode_choices": _mode_choices(page),
        "slice_panel": _slice_panel(page.slices),
        "error_ends": _error_ends(data["error"]),
        "shown": " ".join(escape(sentence) for sentence in shown),
        "sections": _sections(page),
        "version": escape(__version__),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
    }
    # one pass, so that braces in the user's own strings stay what they are
    write_text(path, re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _asset("page.html")))


def _asset(name: str) -> str:
    return (resources.files(__package__) / "browser" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


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
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


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


# ---- numbers and tables


def _sections(page: Page) -> str:
    blocks = []
    if page.notes:
        blocks.append(_section("Notes", _list(page.notes, "notes")))
    if page.numbers:
        blocks.append(_section("Numbers", _numbers_table(page.numbers)))
    if page.curves:
        figures = "".join(_figure(curve) for curve in page.curves)
        blocks.append(_section("Training", f'<div class="curves">{figures}</div>'))
    tables = (("Certificate", page.certificate), ("Details", page.details))
    columns = "".join(_section(title, _facts(table)) for title, table in tables if table)
    return "\n".join([*blocks, f'<div class="columns">{columns}</div>'])


def _section(title: str, body: str) -> str:
    return f'<section class="section"><h2>{title}</h2>{body}</section>'


def _figure(curve: Curve) -> str:
    return f"<figure><figcaption>{escape(curve.name)}</figcaption>{curve_svg(curve)}</figure>"


def _numbers_table(numbers: tuple[Number, ...] | list[Number]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(number.name)}</th><td class="value">{_value(number.value)}</td>'
        f"<td>{escape(number.meaning)}</td></tr>"
        for number in numbers
    )
    head = "<tr><th>Name</th><th>Value</th><th>Meaning</th></tr>"
    return f'<table class="numbers"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _facts(table: Mapping[str, object]) -> str:
    """A table of names and values; nested mappings follow as tables of their own."""
    rows, nested = "", ""
    for key, value in table.items():
        name = escape(str(key).replace("_", " "))
        if isinstance(value, Mapping):
            nested += f'<h3 class="facts-title">{name}</h3>{_facts(value)}' if value else ""
        else:
            rows += f'<tr><th scope="row">{name}</th><td>{_value(value)}</td></tr>'
    return (f'<table class="facts"><tbody>{rows}</tbody></table>' if rows else "") + nested


def _value(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return '<span class="yes">✓ yes</span>' if value else "no"
    if value is None:
        return "\u2013"
    if isinstance(value, np.generic):
        return _value(value.item())
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list | tuple):
        if any(isinstance(item, str) and " " in item for item in value):  # sentences
            return _list(value, "sentences")
        return ", ".join(_value(item) for item in value) or "none"
    return escape(str(value))


def _list(items: Iterable[object], style: str) -> str:
    return f'<ul class="{style}">' + "".join(f"<li>{_value(item)}</li>" for item in items) + "</ul>"
