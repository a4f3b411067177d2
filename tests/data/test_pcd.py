"""PCD in its three layouts, with its own conventions: fields of any type, NaN, packed colours, viewpoints."""

import struct

import numpy as np
import pytest

from isofield.data import load, write_points
from isofield.data.pcd import read_pcd
from isofield.runtime.errors import InputError

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(500, 3)).astype(np.float32).astype(np.float64)
NORMALS = (POINTS / np.linalg.norm(POINTS, axis=1, keepdims=True)).astype(np.float32)
COLOURS = RNG.integers(0, 256, (500, 3), dtype=np.uint8)

# name, numpy type, count: padding and fields that no shape needs lie between the others
FIELDS = [("x", "<f4", 1), ("_", "u1", 3), ("y", "<f8", 1), ("histogram", "<f4", 5), ("z", "<f4", 1),
          ("normal_x", "<f4", 1), ("normal_y", "<f4", 1), ("normal_z", "<f4", 1), ("rgba", "<u4", 1),
          ("ring", "<i2", 1)]  # fmt: skip


def rows(points=POINTS):
    table = np.zeros(len(points), [(name, code, (count,)) for name, code, count in FIELDS])
    for axis in range(3):
        table["xyz"[axis]] = points[:, axis : axis + 1]
        table["normal_" + "xyz"[axis]] = NORMALS[:, axis : axis + 1]
    table["histogram"] = RNG.random((len(points), 5))
    red, green, blue = COLOURS.astype(np.uint32).T
    table["rgba"] = (255 << 24 | red << 16 | green << 8 | blue)[:, None]
    return table


def lzf(plain: bytes) -> bytes:
    """A simple LZF packer: repetitions of three bytes or more that were seen before, the rest as it is."""
    packed, loose, seen, place = bytearray(), bytearray(), {}, 0

    def flush():
        for start in range(0, len(loose), 32):
            piece = loose[start : start + 32]
            packed.extend([len(piece) - 1, *piece])
        loose.clear()

    while place < len(plain):
        before = seen.get(plain[place : place + 3])
        seen[plain[place : place + 3]] = place
        if before is None or place - before > 8192 or place + 3 > len(plain):
            loose.append(plain[place])
            place += 1
            continue
        length = 3
        while (
            length < 264 and place + length < len(plain) and plain[before + length] == plain[place + length]
        ):
            length += 1
        flush()
        high, low = divmod(place - before - 1, 256)
        long = [length - 9] if length >= 9 else []
        packed.extend([min(length - 2, 7) << 5 | high, *long, low])
        place += length
    flush()
    return bytes(packed)


def pcd(table, layout, extra=""):
    """A file of rows (a structured array) in one of the layouts."""
    kinds = [(name, table.dtype[name].base, table.dtype[name].shape[0]) for name in table.dtype.names]
    header = ["# .PCD v0.7 - Point Cloud Data file format", "VERSION 0.7"]
    header.append("FIELDS " + " ".join(name for name, *_ in kinds))
    header.append("SIZE " + " ".join(str(kind.itemsize) for _, kind, _ in kinds))
    header.append("TYPE " + " ".join(kind.kind.upper() for _, kind, _ in kinds))
    header.append("COUNT " + " ".join(str(count) for *_, count in kinds))
    header += [f"WIDTH {len(table)}", "HEIGHT 1", *filter(None, [extra]), f"POINTS {len(table)}"]
    head = "\n".join([*header, f"DATA {layout}", ""]).encode()
    if layout == "binary":
        return head + table.tobytes()
    if layout == "binary_compressed":
        plain = b"".join(np.ascontiguousarray(table[name]).tobytes() for name in table.dtype.names)
        packed = lzf(plain)
        return head + struct.pack("<II", len(packed), len(plain)) + packed
    lines = [" ".join(repr(v.item()) for name in table.dtype.names for v in row[name]) for row in table]
    return head + "\n".join(lines).encode() + b"\n"


LAYOUTS = ("ascii", "binary", "binary_compressed")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_coordinates_normals_and_colours_to_the_last_bit(tmp_path, layout):
    (tmp_path / "a.pcd").write_bytes(pcd(rows(), layout))
    shape = load(tmp_path / "a.pcd")
    np.testing.assert_array_equal(shape.vertices, POINTS)
    np.testing.assert_array_equal(shape.normals, NORMALS)
    np.testing.assert_array_equal(shape.colours, COLOURS)
    assert shape.kind == "points"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_colours_packed_as_a_float_are_its_bits(tmp_path, layout):
    red, green, blue = COLOURS.astype(np.uint32).T
    table = np.zeros(500, [(name, "<f4", (1,)) for name in ("x", "y", "z", "rgb")])
    for axis in range(3):
        table["xyz"[axis]] = POINTS[:, axis : axis + 1]
    table["rgb"] = (red << 16 | green << 8 | blue).view(np.float32)[:, None]
    (tmp_path / "a.pcd").write_bytes(pcd(table, layout))
    np.testing.assert_array_equal(load(tmp_path / "a.pcd").colours, COLOURS)


def test_repetitions_that_reach_into_themselves_are_unpacked(tmp_path):
    table = np.zeros(2000, [(name, "<f4", (1,)) for name in "xyz"])
    table["x"][1500:] = 1.0
    content = pcd(table, "binary_compressed")
    assert len(content) < 1200  # of 24,000 bytes
    (tmp_path / "a.pcd").write_bytes(content)
    np.testing.assert_array_equal(load(tmp_path / "a.pcd").vertices[:, 0], table["x"][:, 0])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_points_that_nothing_came_back_from_are_left_out_and_counted(tmp_path, layout):
    table = rows()
    table["y"][::5] = np.nan
    (tmp_path / "a.pcd").write_bytes(pcd(table, layout))
    shape = load(tmp_path / "a.pcd")
    kept = np.arange(500) % 5 > 0
    np.testing.assert_array_equal(shape.vertices, POINTS[kept])
    np.testing.assert_array_equal(shape.colours, COLOURS[kept])
    assert "100 of 500 points were NaN" in shape.notes[0]


def test_an_infinite_point_is_no_missing_one_and_is_refused(tmp_path):
    table = rows()
    table["y"][7] = np.inf
    (tmp_path / "a.pcd").write_bytes(pcd(table, "binary"))
    with pytest.raises(InputError, match="1 of 500 vertices are not finite"):
        load(tmp_path / "a.pcd")


def test_a_viewpoint_orients_points_without_normals_and_the_default_one_says_nothing(tmp_path):
    table = np.zeros(500, [(name, "<f4", (1,)) for name in "xyz"])
    for axis in range(3):
        table["xyz"[axis]] = POINTS[:, axis : axis + 1]
    for extra, known in (("", False), ("VIEWPOINT 0 0 0 1 0 0 0", False), ("VIEWPOINT 0 0 9 1 0 0 0", True)):
        (tmp_path / "a.pcd").write_bytes(pcd(table, "binary", extra))
        shape = load(tmp_path / "a.pcd")
        assert (shape.towards_sensor is not None) == known
        assert any("VIEWPOINT" in note for note in shape.notes) == known
    expected = np.array([0, 0, 9]) - POINTS
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(shape.towards_sensor, expected, atol=1e-12)


def test_normals_in_the_file_go_before_its_viewpoint(tmp_path):
    (tmp_path / "a.pcd").write_bytes(pcd(rows(), "binary", "VIEWPOINT 0 0 9 1 0 0 0"))
    shape = load(tmp_path / "a.pcd")
    assert shape.towards_sensor is None
    assert not any("VIEWPOINT" in note for note in shape.notes)


def test_fields_that_are_not_read_are_named(tmp_path):
    (tmp_path / "a.pcd").write_bytes(pcd(rows(), "binary"))
    assert load(tmp_path / "a.pcd").notes == ("Left out: histogram, ring.",)
    table = np.zeros(3, [(name, "<f4", (1,)) for name in ("x", "y", "z", "intensity", "normal_x")])
    table["x"][:, 0] = range(3)
    (tmp_path / "a.pcd").write_bytes(pcd(table, "ascii"))
    assert load(tmp_path / "a.pcd").notes == ("Left out: intensity, normal_x.",)


def test_a_file_of_an_early_version_without_counts_is_read(tmp_path):
    head = "VERSION .5\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nWIDTH 2\nHEIGHT 2\nDATA ascii\n"
    (tmp_path / "a.pcd").write_text(head + "0 0 0\n1 0 0\n0 1 0\n0 0 1\n")
    assert load(tmp_path / "a.pcd").vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_colours_that_are_no_packed_number_are_set_aside_in_words(tmp_path):
    table = np.zeros(2, [(name, "<f8", (1,)) for name in ("x", "y", "z", "rgb")])
    table["x"][1] = 1
    (tmp_path / "a.pcd").write_bytes(pcd(table, "binary"))
    shape = load(tmp_path / "a.pcd")
    assert shape.colours is None
    assert "set aside" in shape.notes[0]


def test_single_precision_is_written_where_it_holds_the_points_and_double_where_not(tmp_path):
    write_points(tmp_path / "single.pcd", POINTS, comments=["a scan"])
    write_points(tmp_path / "double.pcd", POINTS + 1e-9)
    single, double = ((tmp_path / f"{name}.pcd").read_bytes() for name in ("single", "double"))
    assert b"SIZE 4 4 4\n" in single
    assert b"# a scan\n" in single
    assert b"SIZE 8 8 8\n" in double
    np.testing.assert_array_equal(read_pcd(tmp_path / "double.pcd").vertices, POINTS + 1e-9)
