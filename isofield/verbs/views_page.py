"""The page of a scene's run: views beside photographs, from the worst to the best, an orbit, the mesh."""

from math import inf
from typing import Any, get_args

import numpy as np

from .. import data
from ..data.scene import Scene
from ..geometry.mesh import Mesh
from ..rendering.paths import up_of
from ..rendering.views import depths, render_view
from ..viewing.page_parts import Number
from ..viewing.picture import Up
from ..viewing.scene_picture import scene_picture
from ..viewing.views_page import Beside, ViewsPage, write_views_page
from .page import curves, details
from .render_views import BACKGROUNDS, background_of, over_background, picture_of, usual_way
from .run import Run

__all__ = ["views_page"]

SHOWN = 5  # views on the page
CAMERAS = 560  # pixels of each of the two drawings of the cameras


def views_page(run: Run, scene: Scene, mesh: Mesh | None = None) -> None:
    """Write RUN/page.html from the run's metrics, the film in the run, and its mesh (None: RUN/mesh.ply, if
    it is there)."""
    description, metrics = run.description, run.metrics
    if mesh is None and run.folder.mesh.is_file():
        made = data.load_shape(run.folder.mesh)
        mesh = Mesh(made.vertices, made.faces, made.normals, made.colours)
    headline = ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" for name, value in metrics["headline"].items()
    )
    compared = metrics["compared"]
    way = usual_way(run)
    film = run.path / f"{way}.webp"
    write_views_page(
        run.folder.page,
        ViewsPage(
            title=f"{scene.name}: {description['method']}",
            subtitle=f"{len(scene.train)} photographs learnt; {headline}.",
            command=description["command"] or f"isofield.fit({scene.source!r})",
            views=_beside(run, scene, metrics["images"]),
            remark=f"From the worst to the best of {len(metrics['images'])} {compared['frames']} views by "
            f"the ratio of signal to noise, over {compared['background']}.",
            film=(film.read_bytes(), way.capitalize()) if film.is_file() else None,
            cameras=scene_picture(scene, CAMERAS),
            mesh=mesh,
            up=_up(scene),
            curves=curves(run),
            numbers=[
                Number(name.replace("_", " "), value, metrics["meaning"][name])
                for name, value in metrics["figures"].items()
                if value is not None
            ],
            notes=[*description["doubts"], *metrics["doubts"], *description["data"]["notes"]],
            details=details(run),
        ),
    )


def _beside(run: Run, scene: Scene, images: list[dict[str, Any]]) -> list[Beside]:
    """A few of the views that were judged, evenly chosen from the worst to the best."""
    ratios = {image["name"]: inf if image["psnr_db"] is None else image["psnr_db"] for image in images}
    ranked = sorted(ratios, key=lambda name: ratios[name])
    places = np.unique(np.linspace(0, len(ranked) - 1, SHOWN).round().astype(int))
    views, background = run.views, BACKGROUNDS[background_of(run)]
    numbers = np.array([scene.names.index(ranked[place]) for place in places])
    span = depths(views.render, scene.cameras[numbers], rays=views.rays)
    rows = []
    for place, number in zip(places, numbers):
        view = render_view(views.render, scene.cameras, int(number), rays=views.rays)
        truth = over_background(scene.photographs.picture(int(number)), background)
        rank = {0: "worst", len(ranked) // 2: "median", len(ranked) - 1: "best"}.get(int(place), "")
        caption = f"{ranked[place]}: {ratios[ranked[place]]:.2f} dB" + (f", the {rank}" if rank else "")
        rows.append(
            Beside(
                caption,
                (truth * 255).round().astype(np.uint8),
                picture_of(view, "colour", span, background),
                picture_of(view, "depth", span, background),
            )
        )
    return rows


def _up(scene: Scene) -> Up:
    """The axis of the world that is nearest to what is up in the pictures."""
    up = up_of(scene.cameras.poses)
    axes: tuple[Up, ...] = get_args(Up)
    return axes[int(np.concatenate([up, -up]).argmax())]
