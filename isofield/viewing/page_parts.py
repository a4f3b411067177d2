"""What pages are put together from: texts of the package, sections, tables of numbers, inline pictures."""

import base64
import hashlib
import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from importlib import resources

import numpy as np
from PIL import Image

from .. import __version__
from ..runtime.files import write_text
from .charts import Curve, curve_svg, number_text

__all__ = [
    "Number", "address_of_file", "address_of_photograph", "address_of_picture", "asset", "curves_section",
    "facts", "fingerprint", "notes_section", "numbers_section", "section", "tables_section", "with_parts",
    "write_document",
]  # fmt: skip


@dataclass(frozen=True)
class Number:
    """One figure.

    name, value. meaning: a sentence.
    """

    name: str
    value: float | int | str
    meaning: str = ""


def asset(name: str) -> str:
    """A text file of the folder `browser`."""
    return (resources.files(__package__) / "browser" / name).read_text(encoding="utf-8")


def fingerprint(text: str) -> str:
    """What the page's security policy calls a style or a script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def with_parts(template: str, parts: Mapping[str, str]) -> str:
    """The template with {{name}} replaced by parts[name], in one pass: braces in the user's own strings stay
    what they are."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def write_document(
    path: str | os.PathLike,
    title: str,
    subtitle: str,
    command: str,
    main: str,
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
) -> None:
    """Write one HTML file that opens from disk in any browser and loads nothing.

    title, subtitle, command: shown as they are, whatever characters they hold. main: HTML. styles, scripts:
    names in `browser` of what it needs beside `page.css`. The file's security policy holds the hashes of its
    one style and of its one script: a browser refuses to run or load anything else. Raises FailedError where
    it cannot be written.
    """
    style = "".join(asset(name) for name in ("page.css", *styles))
    script = "\n".join(asset(name) for name in scripts)
    parts = {
        "title": escape(title),
        "subtitle": escape(subtitle),
        "command": escape(command),
        "main": main,
        "style": style,
        "style_hash": fingerprint(style),
        "version": escape(__version__),
        "script_policy": f"; script-src '{fingerprint(script)}'" if script else "",
        "copy": '<button type="button" id="copy">Copy</button>' if script else "",
        "script": f'<script type="module">{script}</script>' if script else "",
    }
    write_text(path, with_parts(asset("document.html"), parts))


def address_of_picture(pixels: np.ndarray) -> str:
    """A picture, uint8 [H, W] or [H, W, C], as an address that holds all of it (PNG)."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", optimize=True)
    return address_of_file(file.getvalue(), "image/png")


def address_of_file(data: bytes, kind: str) -> str:
    """A file of a MIME type as an address that holds all of it."""
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")


def address_of_photograph(pixels: np.ndarray, longest: int) -> str:
    """A picture, uint8 [H, W, 3], at most `longest` pixels along an axis, as an address (WebP with
    losses)."""
    small, file = Image.fromarray(pixels), io.BytesIO()
    small.thumbnail((longest, longest), Image.Resampling.BOX)
    small.save(file, format="WEBP", quality=88)
    return address_of_file(file.getvalue(), "image/webp")


def notes_section(notes: Iterable[str]) -> str:
    """Sentences under the title Notes; nothing where there are none."""
    notes = list(notes)
    return section("Notes", _list(notes, "notes")) if notes else ""


def numbers_section(numbers: Iterable[Number]) -> str:
    """The table of figures; nothing where there are none."""
    numbers = list(numbers)
    return section("Numbers", _numbers_table(numbers)) if numbers else ""


def curves_section(curves: Iterable[Curve]) -> str:
    """Quantities over training time; nothing where there are none."""
    figures = "".join(_figure(curve) for curve in curves)
    return section("Training", f'<div class="curves">{figures}</div>') if figures else ""


def tables_section(tables: Mapping[str, Mapping[str, object]]) -> str:
    """Tables by title, beside each other; empty ones are left out."""
    columns = "".join(section(title, facts(table)) for title, table in tables.items() if table)
    return f'<div class="columns">{columns}</div>'


def section(title: str, body: str) -> str:
    """A titled part of the page."""
    return f'<section class="section"><h2>{title}</h2>{body}</section>'


def _figure(curve: Curve) -> str:
    return f"<figure><figcaption>{escape(curve.name)}</figcaption>{curve_svg(curve)}</figure>"


def _numbers_table(numbers: list[Number]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(number.name)}</th><td class="value">{_value(number.value)}</td>'
        f"<td>{escape(number.meaning)}</td></tr>"
        for number in numbers
    )
    head = "<tr><th>Name</th><th>Value</th><th>Meaning</th></tr>"
    return f'<table class="numbers"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def facts(table: Mapping[str, object]) -> str:
    """A table of names and values; nested mappings follow as tables of their own."""
    rows, nested = "", ""
    for key, value in table.items():
        name = escape(str(key).replace("_", " "))
        if isinstance(value, Mapping):
            nested += f'<h3 class="facts-title">{name}</h3>{facts(value)}' if value else ""
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
