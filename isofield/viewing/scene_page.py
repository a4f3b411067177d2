"""The page of a scene before training: cameras, box, photographs, and what is wrong with them."""

import os
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from PIL import Image

from ..data.scene import Scene
from .page_parts import (
    address_of_picture,
    asset,
    notes_section,
    section,
    tables_section,
    with_parts,
    write_document,
)

__all__ = ["write_scene_page"]

LONGEST = 160  # pixels along an axis of a small photograph
MOST = 120  # small photographs on a page, evenly chosen


def write_scene_page(
    path: str | os.PathLike,
    scene: Scene,
    picture: np.ndarray,
    command: str,
    warnings: Sequence[str] = (),
    facts: Mapping[str, object] | None = None,
) -> None:
    """Write one HTML file that opens from disk in any browser and loads nothing.

    picture: of the cameras, uint8 [H, W, 3] (`scene_picture`). command: what made the page. warnings:
    sentences, shown first. facts: names and values.
    """
    decoded = np.flatnonzero(scene.photographs.sizes.all(axis=1))
    chosen = decoded[np.unique(np.linspace(0, len(decoded) - 1, min(MOST, len(decoded))).round().astype(int))]
    parts = {
        "warnings": section("Warnings", _sentences(warnings)) if warnings else "",
        "picture": address_of_picture(picture),
        "thumbnails": "\n".join(_figure(scene, int(number)) for number in chosen),
        "shown": f"Shown: {len(chosen)} of {len(scene.names)}, scaled down.",
        "sections": notes_section(scene.notes) + tables_section({"Facts": facts or {}}),
    }
    subtitle = (
        f"{scene.format}: photographs to learn from: {len(scene.train)}, to test on: {len(scene.test)}."
    )
    main = with_parts(asset("scene_page.html"), parts)
    write_document(path, scene.name, subtitle, command, main, ["scene_page.css"])


def _sentences(sentences: Sequence[str]) -> str:
    return '<ul class="sentences">' + "".join(f"<li>{escape(s)}</li>" for s in sentences) + "</ul>"


def _figure(scene: Scene, number: int) -> str:
    """A small photograph, over white where it is transparent, with its name."""
    kind = "train" if number in scene.train else "test" if number in scene.test else "aside"
    pixels = scene.photographs.picture(number)
    if pixels.shape[2] == 4:  # colours are multiplied by alpha already
        pixels = pixels[:, :, :3] + (255 - pixels[:, :, 3:])
    small = Image.fromarray(pixels)
    small.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    name = escape(scene.names[number], quote=True)
    return (
        f'<figure class="{kind}"><img alt="{name}" src="{address_of_picture(np.asarray(small))}">'
        f'<figcaption title="{name}">{name}</figcaption></figure>'
    )
