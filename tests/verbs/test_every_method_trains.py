"""Every method of the table through the verbs: train, extract or render, evaluate, write the page."""

import numpy as np
import pytest

from isofield.data.image import as_image
from isofield.methods import METHODS
from isofield.verbs.evaluate import evaluate
from isofield.verbs.fit import fit

SMALL = {
    "solid": {"points": 1024, "network": {"levels": 3, "coarsest": 8, "finest": 32, "log2_table": 15}},
    "surface": {"points": 64, "layers": 2, "width": 32},
    "picture": {"levels": 3},
}
SMALL_SCENE = {
    "nerf": {"network": {"width": 16, "depth": 2, "skips": [], "view_width": 8}, "samples": 8, "rays": 64},
    "ngp": {"levels": 3, "finest": 32, "log2_table": 15, "samples": 4096, "cells": 64, "steps_across": 64},
}


@pytest.mark.parametrize("name", [name for name, entry in METHODS.items() if entry.takes != ("scene",)])
def test_a_few_steps_give_products_and_figures(name, make_ball, tmp_path):
    learns_from = METHODS[name].learns_from
    source = as_image(np.full((32, 32, 3), 99, np.uint8)) if learns_from == "picture" else make_ball()
    more = {} if learns_from == "picture" else {"resolution": 24}
    run = fit(source, name, config=SMALL[learns_from], steps=30, out=tmp_path / "run", **more)
    assert run.folder.page.is_file()
    assert run.metrics["figures"] == pytest.approx(
        evaluate(run, source=source)["figures"], nan_ok=True, rel=1e-6
    )


@pytest.mark.parametrize("name", [name for name, entry in METHODS.items() if entry.takes == ("scene",)])
def test_a_few_steps_on_a_scene_give_views_a_film_and_figures(name, ball_scene, tmp_path):
    source = ball_scene.write_scene(tmp_path / "ball", (24, 24), (6, 2))
    run = fit(source, name, config=SMALL_SCENE[name], steps=30, out=tmp_path / "run")
    assert {"page.html", "orbit.webp", "metrics.json"} <= {path.name for path in run.path.iterdir()}
    assert {path.name for path in (run.path / "test").iterdir()} == {"r_0.png", "r_1.png"}
    before = dict(run.metrics["figures"])
    again = evaluate(run)["figures"]
    del before["seconds_per_view"], again["seconds_per_view"]
    assert before == pytest.approx(again, rel=1e-6)
