"""A run of a radiance field in the live viewer."""

from functools import cached_property

import numpy as np

from ..data.scene import Scene
from ..runtime.errors import InputError
from ..runtime.progress import say
from ..training.checkpoints import latest_checkpoint
from ..training.run_folder import RunFolder
from ..viewing.live_views import SceneSubject
from .run import Run, open_run

__all__ = ["FollowedScene"]

THUMBNAIL = 96  # pixels at most along a side


class FollowedScene:
    """A run that may still be training: the field that it saved last, and the cameras as run.json has them.
    The photographs are read when their thumbnails are asked for."""

    def __init__(self, run: Run) -> None:
        self.path = run.path
        self._seen = self._saved()

    def subject(self) -> SceneSubject:
        """What there is to see now. Raises InputError where training has saved nothing yet."""
        self._seen = self._saved()
        try:
            return self._subject(open_run(self.path))
        except InputError:
            if self._saved() == self._seen:
                raise
        return self.subject()  # a training saved while we read

    def _subject(self, run: Run) -> SceneSubject:
        views, known = run.views, run.description["data"]
        return SceneSubject(
            run.path.resolve().name,
            f"The field after {int(self._seen.stem) if self._seen else 0:,} steps.",
            views.render,
            views.density,
            views.colour,
            views.lower,
            views.upper,
            run.cameras,
            tuple(known["train"]),
            tuple(known["test"]),
            self._thumbnail,
        )

    def newer(self) -> SceneSubject | None:
        """What there is to see, where something was saved since; None too for a run that is being removed."""
        if self._saved() == self._seen:
            return None
        try:
            return self.subject()
        except InputError:
            return None

    def _saved(self):
        return latest_checkpoint(RunFolder(self.path).checkpoints)

    @cached_property
    def _scene(self) -> Scene | None:
        try:
            return open_run(self.path).scene()
        except InputError as error:
            say(f"note: the photographs cannot be read ({error.what}): cameras are shown without them")
            return None

    def _thumbnail(self, number: int) -> np.ndarray | None:
        if self._scene is None or self._scene.photographs.sizes[number].min() == 0:
            return None
        picture = self._scene.photographs.picture(number)
        step = -(-max(picture.shape[:2]) // THUMBNAIL)
        colour = picture[::step, ::step, :3].astype(np.uint16)
        if picture.shape[2] == 4:  # multiplied by the opacity: over white
            colour = colour + (255 - picture[::step, ::step, 3:])
        return np.minimum(colour, 255).astype(np.uint8)
