"""The page of a trained scene."""

import re

import numpy as np
import pytest

from isofield.extraction.surface import extract_surface
from isofield.geometry.level import Below
from isofield.viewing.charts import TIMES
from isofield.viewing.page_parts import fingerprint
from isofield.viewing.views_page import Beside, ViewsPage, write_views_page

NAME = "<b>&{{title}}"


def page(sizes=((9, 12), (20, 8)), **more):
    """A page of random views of these sizes."""
    rng = np.random.default_rng(0)
    views = [Beside(NAME, *rng.integers(0, 256, (3, *size, 3), np.uint8)) for size in sizes]
    cameras = np.zeros((4, 8, 3), np.uint8)
    return ViewsPage(NAME, "s", "isofield fit x", views, NAME, (b"film", "Orbit"), cameras, **more)


def text_of(tmp_path, content):
    write_views_page(tmp_path / "page.html", content)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_each_view_stands_beside_its_photograph_its_difference_and_its_depth(tmp_path):
    text = text_of(tmp_path, page())
    for caption in ("Photograph", "Rendered", "Depth"):
        assert text.count(f"<figcaption>{caption}</figcaption>") == 2
    assert len(set(re.findall(rf"<figcaption>Difference {TIMES}(\d+)</figcaption>", text))) == 1
    assert "data:image/webp;base64,ZmlsbQ==" in text


def test_nothing_in_names_becomes_a_part_of_the_page(tmp_path):
    text = text_of(tmp_path, page())
    assert "<b>&{{" not in text
    assert "&lt;b&gt;&amp;{{title}}" in text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)


def test_a_mesh_brings_the_viewer_and_a_policy_for_its_script_alone(tmp_path):
    assert "<script" not in text_of(tmp_path, page())
    mesh = extract_surface(lambda points: points.norm(dim=1) - 0.9, Below(), 16).mesh
    text = text_of(tmp_path, page(mesh=mesh))
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1]
    assert f"script-src '{fingerprint(script)}'" in text
    assert 'id="data"' in text


@pytest.mark.parametrize("views", [1, 5])
def test_large_views_are_scaled_down_so_that_the_page_stays_small(tmp_path, views):
    text = text_of(tmp_path, page(sizes=((800, 800),) * views))
    assert len(text) < 0.7e6 * (views + 1)
