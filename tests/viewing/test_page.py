import base64
import hashlib
import json
import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isofield.geometry.frames import Frame
from isofield.geometry.level import Above, Below
from isofield.geometry.mesh import Mesh
from isofield.runtime.errors import FailedError, InputError
from isofield.viewing.charts import Curve, curve_svg, number_text
from isofield.viewing.packing import NORMAL_STEPS, octahedral, pack, quantise
from isofield.viewing.page import Number, Page, write_page
from isofield.viewing.slices import Slices

HOSTILE = "</title></script><script>alert(1)</script><img src=x onerror=alert(2)>{{data}}'\"&amp;<!--.ply"


def ball(subdivisions=3, scale=1.0):
    mesh = trimesh.creation.icosphere(subdivisions=subdivisions)
    return Mesh(np.asarray(mesh.vertices) * scale + [3.0, -40.0, 1000.0], np.asarray(mesh.faces, np.int32))


def sphere_distance(points):
    return points.norm(dim=1) - 0.9


def full_page(mesh, text=""):
    frame = Frame.around(mesh.vertices)
    return Page(
        title=f"ball {text}",
        subtitle=f"Within 0.1 %. {text}",
        command=f"isofield fit {text}",
        mesh=mesh,
        input_mesh=ball(1),
        error=np.linspace(0, 0.02, len(mesh.vertices), dtype=np.float32),
        slices=Slices.sample(sphere_distance, resolution=24, frame=frame, name=f"signed distance {text}"),
        curves=[Curve(f"loss {text}", np.arange(1, 50), 1 / np.arange(1, 50))],
        numbers=[Number(f"chamfer_l1_mean {text}", 0.00123, f"Mean distance. {text}")],
        certificate={"proved": {"closed": True, text: text}, "heuristic": {"pieces": 1}},
        notes=[f"A doubt. {text}"],
        details={"method": "sdf", "config": {"width": 64, text: [1, 2, text]}},
    )


def written(tmp_path, page):
    write_page(tmp_path / "page.html", page)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def record(html):
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])


def unpack(packed):
    """The inverse of `pack`, as viewer code has it."""
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed["text"])), np.uint8)
    planes = planes.reshape(packed["bytes"], packed["columns"], packed["count"]).astype(np.int64)
    numbers = sum(plane << (8 * byte) for byte, plane in enumerate(planes)).T
    if packed["order"]:
        numbers = (numbers >> 1) ^ -(numbers & 1)
    for _ in range(packed["order"]):
        numbers = np.cumsum(numbers, axis=0)
    return numbers


class Outline(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text.append(data)


def test_page_is_one_file_that_loads_nothing(tmp_path):
    html = written(tmp_path, full_page(ball()))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert not re.search(r"https?://", html)
    outline = Outline(html)
    for name, value in outline.attributes:
        assert name not in ("src", "href") or value.startswith("data:")
        assert not name.startswith("on")
    assert "@import" not in html
    assert "url(" not in html


def test_policy_names_the_hashes_of_the_style_and_the_script(tmp_path):
    html = written(tmp_path, full_page(ball()))
    policy = re.search(r'Content-Security-Policy"\s+content="([^"]*)"', html)[1]
    for pattern in (r"<style>(.*?)</style>", r'<script type="module">(.*?)</script>'):
        body = re.search(pattern, html, re.DOTALL)[1]
        assert f"sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_hostile_strings_are_shown_and_change_nothing(tmp_path):
    plain, hostile = (
        Outline(written(tmp_path, full_page(ball(), text))) for text in ("not hostile", HOSTILE)
    )
    assert hostile.tags == plain.tags
    assert HOSTILE in "".join(hostile.text)
    shown = "".join(hostile.text)
    assert shown.count(HOSTILE) == "".join(plain.text).count("not hostile")


def test_positions_are_off_by_half_a_step_at_most(tmp_path):
    mesh = ball(scale=0.02)
    packed = record(written(tmp_path, full_page(mesh)))["result"]
    low, high = np.array(packed["low"]), np.array(packed["high"])
    shown = low + unpack(packed["positions"]) / 65535 * (high - low)
    used = np.array(sorted(map(tuple, mesh.vertices)))
    order = np.lexsort(np.round(shown, 7).T[::-1])
    assert (
        np.abs(shown[order] - used[np.lexsort(np.round(used, 7).T[::-1])]).max()
        <= ((high - low) / 65535 / 2).max() * 1.001
    )


def test_faces_are_the_same_triangles_in_another_order(tmp_path):
    mesh = ball(2)
    packed = record(written(tmp_path, full_page(mesh)))["result"]
    codes, indices, seen = unpack(packed["faces"]).ravel(), [], 0
    for code in codes:
        indices.append(seen - code)
        seen += code == 0
    low, high = np.array(packed["low"]), np.array(packed["high"])
    points = (low + unpack(packed["positions"]) / 65535 * (high - low))[indices].reshape(-1, 3, 3)

    def corners(triangles):  # sorted centres and oriented areas tell them apart
        table = np.concatenate(
            [
                triangles.mean(axis=1),
                np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]),
            ],
            axis=1,
        )
        return table[np.lexsort(np.round(table[:, :3], 3).T)]

    np.testing.assert_allclose(corners(points), corners(mesh.vertices[mesh.faces]), atol=1e-4)


def test_errors_stay_with_their_vertices(tmp_path):
    mesh = ball()
    error = (mesh.vertices[:, 1] - mesh.vertices[:, 1].mean()).astype(np.float32)
    page = Page("t", "s", "c", mesh, error=error)
    made = record(written(tmp_path, page))
    packed, low, high = made["result"], made["error"]["low"], made["error"]["high"]
    shown = low + unpack(packed["scalars"])[:, 0] / 255 * (high - low)
    height = packed["low"][1] + unpack(packed["positions"])[:, 1] / 65535 * (
        packed["high"][1] - packed["low"][1]
    )
    expected = np.clip(height - mesh.vertices[:, 1].mean(), low, high)
    assert low == -high
    assert np.abs(shown - expected).max() <= (high - low) / 255 / 2 + 1e-4


def test_points_keep_their_confidence_and_colours_also_where_only_some_are_drawn(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (5000, 3)) + np.array([5.0, 0.0, 0.0])
    monkeypatch.setattr("isofield.viewing.page.MOST_POINTS", 2000)
    colours = np.round((points - [4, -1, -1]) / 2 * 255).astype(np.uint8)
    page = Page(
        "t", "s", "c", ball(), input_points=points, input_colours=colours,
        input_confidence=(points[:, 2] + 1) / 2,
    )  # fmt: skip
    html = written(tmp_path, page)
    given = record(html)["input"]
    low, high = np.array(given["low"]), np.array(given["high"])
    drawn = low + unpack(given["positions"]) / 65535 * (high - low)
    assert len(drawn) == 2000
    assert np.abs(unpack(given["scalars"])[:, 0] / 255 - (drawn[:, 2] + 1) / 2).max() < 1 / 255
    assert np.abs(unpack(given["colours"]) - (drawn - [4, -1, -1]) / 2 * 255).max() < 1
    assert 'value="confidence"' in html
    assert 'value="colours"' in html
    assert 'value="confidence"' not in written(tmp_path, Page("t", "s", "c", ball(), input_points=points))


def test_a_mesh_of_300k_faces_makes_a_page_below_4_megabytes_and_says_that_it_is_simplified(tmp_path):
    rng = np.random.default_rng(0)
    mesh = trimesh.creation.icosphere(subdivisions=7)  # 327,680 faces
    vertices = mesh.vertices * (1 + 0.02 * np.sin(20 * mesh.vertices).prod(axis=1, keepdims=True))
    vertices += rng.normal(scale=2e-4, size=vertices.shape)
    mesh = Mesh(
        vertices,
        np.asarray(mesh.faces, np.int32),
        colours=rng.integers(0, 256, vertices.shape, dtype=np.uint8),
    )
    html = written(
        tmp_path,
        Page("t", "s", "c", mesh, input_mesh=ball(6), error=np.abs(vertices[:, 0]).astype(np.float32)),
    )
    assert len(html) < 4e6
    assert "Drawn with" in html
    assert record(html)["result"]["faces"]["count"] <= 3 * 150_100


@settings(max_examples=40, deadline=None)
@given(
    order=st.integers(0, 2),
    numbers=hnp.arrays(
        np.int32, st.tuples(st.integers(0, 50), st.integers(1, 4)), elements=st.integers(-70_000, 70_000)
    ),
)
def test_packed_numbers_come_back(order, numbers):
    numbers = numbers if order else np.abs(numbers)
    np.testing.assert_array_equal(unpack(pack(numbers, order)), numbers)


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.lists(st.floats(0, 1), min_size=1))
def test_quantisation_is_off_by_half_a_step_at_most(low, extent, shares):
    values = low + np.array(shares) * extent
    back = low + quantise(values, low, low + extent, 65535) / 65535 * extent
    assert np.abs(back - values).max() <= extent / 65535 / 2 + 1e-9 * (abs(low) + extent)


def test_octahedral_normals_are_off_by_a_quarter_of_a_degree_at_most():
    normals = np.random.default_rng(0).normal(size=(5000, 3))
    normals = np.concatenate(
        [normals / np.linalg.norm(normals, axis=1, keepdims=True), np.eye(3), -np.eye(3)]
    ).astype(np.float32)
    x, y = octahedral(normals).T / NORMAL_STEPS
    back = np.stack([x, y, 1 - np.abs(x) - np.abs(y)], axis=1)
    fold = back[:, 2] < 0
    back[fold, :2] = (1 - np.abs(back[fold, 1::-1])) * np.where(back[fold, :2] >= 0, 1, -1)
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    # half a step, 1/1022, in each coordinate, stretched at most three times where the octahedron lies askew
    assert np.degrees(np.arccos(np.clip((back * normals).sum(axis=1), -1, 1))).max() < 0.25


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_scripts_parse_and_unpack_what_was_packed(tmp_path):
    html = written(tmp_path, full_page(ball(1)))
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)[1]
    (tmp_path / "page.mjs").write_text(script)
    subprocess.run(["node", "--check", tmp_path / "page.mjs"], check=True)
    numbers = np.random.default_rng(0).integers(-70_000, 70_000, (500, 3), dtype=np.int32)
    arrays = script[: script.index("async function unpackObject")].replace(
        'document.getElementById("data").textContent', '"{}"'
    )
    program = (
        f"{arrays}\nprocess.stdout.write(JSON.stringify([...await unpack({json.dumps(pack(numbers, 2))})]))"
    )
    (tmp_path / "arrays.mjs").write_text(program)
    output = subprocess.run(
        ["node", tmp_path / "arrays.mjs"], check=True, capture_output=True, text=True
    ).stdout
    np.testing.assert_array_equal(json.loads(output), numbers.ravel())


@pytest.mark.parametrize(("sign", "inside"), [(1, Below()), (-1, Above()), (-5, Above(0.5))])
def test_slices_keep_the_side_of_the_surface(tmp_path, sign, inside):
    def field(points):
        return sphere_distance(points) * sign + inside.level

    mesh = ball()
    stack = Slices.sample(field, resolution=20, frame=Frame.around(mesh.vertices), inside=inside)
    made = record(written(tmp_path, Page("t", "s", "c", mesh, slices=stack)))["slices"]
    depth = (unpack(made["values"]).reshape(made["counts"]) - 2047) / 2047 * made["limit"]
    expected = np.clip(inside.depth(stack.values), -made["limit"], made["limit"])
    assert np.abs(depth - expected).max() <= made["limit"] / 2047 / 2 * 1.001
    np.testing.assert_allclose(
        made["level"] + made["sign"] * depth[10, 10, 10], stack.values[10, 10, 10], atol=made["limit"] / 4000
    )


def test_slices_sample_the_grid_in_the_frame_of_the_mesh():
    frame = Frame((10.0, 20.0, 30.0), 0.25)
    box = ((-1.0, -1.0, -0.5), (1.0, 1.0, 0.5))
    stack = Slices.sample(
        lambda points: points @ torch.tensor([1.0, 10.0, 100.0]),
        box,
        21,
        frame=frame,
        scale=2.0,
        inside=Below(3.0),
    )
    assert stack.values.shape == (21, 21, 11)
    assert stack.values[3, 4, 5] == pytest.approx(2 * (-0.7 + 10 * -0.6), abs=1e-4)
    assert stack.low == pytest.approx((6, 16, 28))
    assert stack.high == pytest.approx((14, 24, 32))
    assert stack.inside == Below(6.0)


def test_values_that_are_not_finite_are_shown_as_outside_and_noted(tmp_path):
    values = np.full((4, 4, 4), -1.0, np.float32)
    values[0, 0, 0] = np.nan
    html = written(
        tmp_path, Page("t", "s", "c", ball(), slices=Slices(values, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    )
    assert unpack(record(html)["slices"]["values"])[0, 0] == 0
    assert "not finite" in html


def test_page_refuses_what_it_cannot_show_and_writes_nothing(tmp_path):
    empty = Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    with pytest.raises(InputError, match="no faces"):
        write_page(tmp_path / "page.html", Page("t", "s", "c", empty))
    with pytest.raises(InputError, match="3 errors for"):
        write_page(tmp_path / "page.html", Page("t", "s", "c", ball(), error=np.zeros(3, np.float32)))
    with pytest.raises(FailedError):
        write_page(tmp_path / "missing" / "page.html", Page("t", "s", "c", ball()))
    assert not list(tmp_path.iterdir())


def test_curves_keep_their_peaks_and_leave_gaps():
    values = np.ones(100_000)
    values[70_000], values[20_000:30_000] = 9.0, np.nan
    svg = curve_svg(Curve("loss", np.arange(100_000.0), values))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
    path = re.search(r'<path d="([^"]*)"', svg)[1]
    assert len(heights) < 700
    assert min(heights) < 40 < max(heights)
    assert path.count("M") == 2
    assert "No finite" in curve_svg(Curve("loss", np.arange(2.0), np.array([np.nan, np.inf])))


@pytest.mark.parametrize(
    "values",
    [
        np.geomspace(1e-9, 1e9, 20),
        np.zeros(5),
        np.full(5, -3.5),
        np.array([1e-12, 2e-12]),
        np.array([7.0]),
        np.linspace(-1, 1, 9),
    ],
)
def test_axes_enclose_the_curve(values):
    svg = curve_svg(Curve("q", np.linspace(0, 3, len(values)), values))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", svg)]
    assert min(heights) >= 12 - 0.1
    assert max(heights) <= 236 - 40 + 0.1
    assert "nan" not in svg
    assert 2 <= svg.count('text-anchor="end">') <= 9


def test_numbers_are_written_for_reading():
    assert number_text(327680) == "327\u202f680"
    assert number_text(0.0012345) == "0.001234"
    assert number_text(1.5e-7) == "1.5\u00d710⁻⁷"
    assert number_text(-2.5e8) == "\u22122.5\u00d710⁸"
    assert number_text(0.0) == "0"
    assert number_text(float("nan")) == "not finite"
