"""Look at an input before training: what is in the file, what is wrong with it, what `fit` would do."""

import shlex
from pathlib import Path
from typing import Any

from .. import data
from ..data.check import describe, describe_image
from ..data.check_scene import describe_scene
from ..data.image import Image
from ..data.scene import Scene
from ..methods.choice import suited_to
from ..runtime.errors import InputError
from ..viewing.picture import write_png
from ..viewing.scene_page import write_scene_page
from ..viewing.scene_picture import scene_picture

__all__ = ["check", "draw_scene"]


def check(path: str | Path, out: Path | None = None) -> dict[str, Any]:
    """Facts about the file by name, with "method" (what `fit` would choose, and why) and "warnings"
    (sentences with advice). Of a scene also "drawn": its cameras as a picture and a page, written to the
    folder `out` (default: the present one)."""
    record = data.load(path)
    if isinstance(record, Scene):
        facts = describe_scene(record)
    else:
        facts = describe_image(record) if isinstance(record, Image) else describe(record)
    warnings = list(facts.pop("warnings"))
    try:
        choice = suited_to(record)
    except InputError as error:
        warnings.append(f"fit will refuse it: {error.what}. {error.remedy}")
    else:
        facts["method"] = f"{choice.method}: {choice.reason}"
        warnings += choice.doubts
    facts["warnings"] = warnings
    if isinstance(record, Scene):
        command = f"isofield data check {shlex.quote(str(path))}"
        facts["drawn"] = [str(file) for file in draw_scene(record, facts, command, out or Path())]
    return facts


def draw_scene(scene: Scene, facts: dict[str, Any], command: str, folder: Path) -> tuple[Path, Path]:
    """Write NAME-cameras.png and NAME-cameras.html to the folder; facts: of `describe_scene`."""
    folder.mkdir(parents=True, exist_ok=True)
    png, page = folder / f"{scene.name}-cameras.png", folder / f"{scene.name}-cameras.html"
    picture = scene_picture(scene)
    write_png(png, picture)
    shown = {name: value for name, value in facts.items() if name not in ("notes", "warnings")}
    write_scene_page(page, scene, picture, command, facts["warnings"], shown)
    return png, page
