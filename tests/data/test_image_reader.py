"""Pictures as they come: turned, grey, deep, with a palette, with alpha, animated, damaged."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

import isofield
from isofield.data import Image, Shape, as_record, as_shape, load, write_image
from isofield.data.deep_png import ADAM7
from isofield.data.image import ORIENTATION
from isofield.runtime.errors import InputError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (12, 17, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (12, 17, 4), np.uint8)
GREY = RNG.integers(0, 256, (12, 17), np.uint8)
DEEP = RNG.integers(0, 65536, (12, 17, 3), np.uint16)


def saved(path, pixels, **options):
    PIL.Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("ending", [".png", ".tif", ".bmp", ".webp", ".ppm"])
def test_colours_come_as_they_are_in_the_file(tmp_path, ending):
    image = load(
        saved(tmp_path / f"photo{ending}", COLOUR, **({"lossless": True} if ending == ".webp" else {}))
    )
    assert isinstance(image, Image)
    np.testing.assert_array_equal(image.pixels, COLOUR)
    assert (image.name, image.bits, image.channels, image.notes) == ("photo", 8, 3, ())


def test_a_jpeg_is_read_as_pillow_decodes_it(tmp_path):
    path = saved(tmp_path / "photo.JPG", COLOUR)
    np.testing.assert_array_equal(load(path).pixels, np.asarray(PIL.Image.open(path)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_an_exif_orientation_is_honoured_and_said(tmp_path, orientation, deep):
    exif = PIL.Image.Exif()
    exif[ORIENTATION] = orientation
    path = saved(tmp_path / "photo.png", COLOUR, exif=exif)
    expected = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(path)))
    if deep:
        path = _with_exif_of(path, tmp_path / "deep.png", COLOUR.astype(np.uint16) * 257)
        expected = expected.astype(np.uint16) * 257
    image = load(path)
    np.testing.assert_array_equal(image.pixels, expected)
    assert (f"orientation ({orientation})" in " ".join(image.notes)) == (orientation > 1)


def _with_exif_of(source, path, pixels):
    """A deep PNG of the pixels with the eXIf chunk of another file."""
    write_image(path, pixels)
    data = source.read_bytes()
    start = data.index(b"eXIf") - 4
    chunk = data[start : start + 12 + int.from_bytes(data[start : start + 4], "big")]
    deep = path.read_bytes()
    path.write_bytes(deep[:33] + chunk + deep[33:])
    return path


def test_grey_has_one_channel(tmp_path):
    image = load(saved(tmp_path / "grey.png", GREY))
    np.testing.assert_array_equal(image.pixels, GREY[:, :, None])
    assert "grey" in image.in_words


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_stay_16_bits_through_a_file(tmp_path, channels):
    pixels = np.dstack([DEEP, DEEP[:, :, :1] // 2])[:, :, :channels]
    write_image(tmp_path / "deep.png", pixels)
    image = load(tmp_path / "deep.png")
    assert image.bits == 16
    np.testing.assert_array_equal(image.pixels, pixels)
    with PIL.Image.open(tmp_path / "deep.png") as picture:  # and others can read it
        picture.load()
        assert picture.size == (17, 12)


def test_16_bit_grey_of_a_tiff_is_kept(tmp_path):
    image = load(saved(tmp_path / "deep.tif", DEEP[:, :, 0]))
    np.testing.assert_array_equal(image.pixels[:, :, 0], DEEP[:, :, 0])


def _png(path, pixels, interlaced=False, transparent=None):
    """A PNG of 16 bits a channel, unfiltered, with the chunks that the writer does not make."""
    height, width, channels = pixels.shape
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [pixels[top::down, left::right] for top, left, down, right in passes]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in parts if part.size for row in part)
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 3: 2}[channels], 0, 0, interlaced)
    marked = [] if transparent is None else [(b"tRNS", np.asarray(transparent, ">u2").tobytes())]
    chunks = [(b"IHDR", head), *marked, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
            for kind, content in chunks
        )
    )
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(12, 17), (8, 64), (33, 9)])
def test_an_interlaced_deep_png_keeps_its_bits(tmp_path, channels, shape):
    pixels = np.random.default_rng(1).integers(0, 65536, (*shape, channels), np.uint16)
    path = _png(tmp_path / "deep.png", pixels, interlaced=True)
    with PIL.Image.open(path) as picture:  # the order of the passes is that of others
        high = np.asarray(picture) >> (8 if channels == 1 else 0)
    image = load(path)
    np.testing.assert_array_equal(image.pixels, pixels)
    np.testing.assert_array_equal((image.pixels >> 8).squeeze(), high)
    assert image.notes == ()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("interlaced", [False, True])
def test_one_transparent_colour_of_a_deep_png_becomes_alpha_and_is_said(tmp_path, channels, interlaced):
    pixels = DEEP[:, :, :channels].copy()
    pixels[3:5, 6] = pixels[0, 0]
    image = load(_png(tmp_path / "deep.png", pixels, interlaced, pixels[0, 0]))
    clear = np.zeros((12, 17), bool)
    clear[0, 0] = clear[3:5, 6] = True
    np.testing.assert_array_equal(image.pixels[:, :, :-1], pixels)
    np.testing.assert_array_equal(image.pixels[:, :, -1], np.where(clear, 0, 65535))
    assert "marked as transparent" in image.notes[0]


def _deep_ppm(path):
    path.write_bytes(b"P6 # deep\n17 12\n65535\n" + DEEP.astype(">u2").tobytes())


def _plain_ppm(path):
    path.write_bytes(b"P3\n17 12\n1023\n" + " ".join(map(str, DEEP.ravel() >> 6)).encode())


def _deep_tiff(path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, DEEP, photometric="rgb")


@pytest.mark.parametrize(
    ("name", "write", "bits"),
    [("a.tif", _deep_tiff, 16), ("a.ppm", _deep_ppm, 16), ("plain.ppm", _plain_ppm, 10)],
)
def test_bits_that_are_cut_are_said(tmp_path, name, write, bits):
    write(tmp_path / name)
    image = load(tmp_path / name)
    assert np.abs(image.pixels - DEEP / 257).max() <= 1.5
    assert [f"{bits} bits a channel were cut to 8" in note for note in image.notes] == [True]


def test_a_deep_grey_pgm_is_kept(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5 17 12 65535\n" + DEEP[:, :, 0].astype(">u2").tobytes())
    image = load(tmp_path / "a.pgm")
    np.testing.assert_array_equal(image.pixels[:, :, 0], DEEP[:, :, 0])
    assert image.notes == ()


def test_a_palette_becomes_colours(tmp_path):
    path = tmp_path / "palette.png"
    picture = PIL.Image.fromarray(COLOUR).quantize(16)
    picture.save(path)
    image = load(path)
    np.testing.assert_array_equal(image.pixels, np.asarray(picture.convert("RGB")))
    assert "palette" in image.notes[0]


def test_alpha_is_a_channel_of_its_own_and_left_out_where_it_says_nothing(tmp_path):
    image = load(saved(tmp_path / "alpha.png", ALPHA))
    np.testing.assert_array_equal(image.pixels, ALPHA)
    assert "Alpha" in image.notes[0]
    opaque = np.dstack([COLOUR, np.full_like(GREY, 255)])
    image = load(saved(tmp_path / "opaque.png", opaque))
    np.testing.assert_array_equal(image.pixels, COLOUR)
    assert "opaque" in image.notes[0]


def test_of_several_frames_the_first_is_taken_and_the_others_are_counted(tmp_path):
    frames = [PIL.Image.fromarray(np.roll(COLOUR, i, 0)) for i in range(4)]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "pages.tif", save_all=True, append_images=frames[1:])
    for name in ("film.gif", "pages.tif"):
        image = load(tmp_path / name)
        assert "holds 4 frames; the first is taken, 3 are left" in image.notes[0]
    np.testing.assert_array_equal(image.pixels, COLOUR)


def test_cmyk_is_converted_and_said(tmp_path):
    path = tmp_path / "print.jpg"
    PIL.Image.fromarray(COLOUR).convert("CMYK").save(path)
    image = load(path)
    assert image.channels == 3
    assert "CMYK" in image.notes[0]


def test_black_and_white_becomes_grey(tmp_path):
    path = tmp_path / "fax.tif"
    PIL.Image.fromarray(GREY).convert("1").save(path)
    assert set(np.unique(load(path).pixels)) <= {0, 255}


def _cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


BAD = {
    "truncated": (".png", _cut, "damaged or was cut short"),
    "truncated jpeg": (".jpg", _cut, "damaged or was cut short"),
    "empty": (".png", lambda data: b"", "not a picture"),
    "text": (".png", lambda data: b"hello" * 20, "not a picture"),
    "only a header": (".png", lambda data: data[:40], "."),
}


@pytest.mark.parametrize("case", BAD)
def test_damaged_files_are_clear_errors(tmp_path, case):
    ending, damage, words = BAD[case]
    path = saved(tmp_path / f"bad{ending}", np.kron(COLOUR, np.ones((9, 9, 1), np.uint8)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=words) as caught:
        load(path)
    assert str(path) == caught.value.where
    assert caught.value.remedy


def test_a_deep_png_that_was_cut_short_is_a_clear_error(tmp_path):
    path = tmp_path / "deep.png"
    write_image(path, np.kron(DEEP, np.ones((9, 9, 1), np.uint16)))
    path.write_bytes(_cut(path.read_bytes()))
    with pytest.raises(InputError, match="cut short"):
        load(path)


@pytest.mark.parametrize("deep", [False, True])
def test_no_damage_is_anything_but_a_picture_or_a_clear_error(tmp_path, deep):
    path = tmp_path / "photo.png"
    write_image(path, DEEP if deep else COLOUR)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(150):
        data = whole.copy()
        data[rng.integers(8, len(data), 3)] = rng.integers(0, 256, 3)
        path.write_bytes(data[: rng.integers(len(data) // 2, len(data) + 1)].tobytes())
        with contextlib.suppress(InputError):
            assert load(path).pixels.ndim == 3


def test_a_tiny_picture_is_refused(tmp_path):
    with pytest.raises(InputError, match="17 x 7 pixels, too small"):
        load(saved(tmp_path / "tiny.png", COLOUR[:7]))


def test_floating_point_pictures_are_refused(tmp_path):
    with pytest.raises(InputError, match="floating point"):
        load(saved(tmp_path / "light.tif", np.zeros((9, 9), np.float32)))


def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = io.BytesIO()
    PIL.Image.fromarray(GREY).save(file, format="PNG")
    data = bytearray(file.getvalue())
    data[16:24] = (200_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    (tmp_path / "bomb.png").write_bytes(bytes(data))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="178 million pixels"):
            load(tmp_path / "bomb.png")


def test_a_missing_picture_names_its_neighbour(tmp_path):
    saved(tmp_path / "photo.png", COLOUR)
    with pytest.raises(InputError, match="no such file") as caught:
        load(tmp_path / "phto.png")
    assert "photo.png" in caught.value.remedy


def test_a_picture_where_a_shape_is_asked_for_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a picture, not a shape"):
        as_shape(saved(tmp_path / "photo.png", COLOUR))


def test_pixels_in_memory_are_a_picture():
    assert isinstance(as_record(COLOUR), Image)
    assert as_record(GREY).channels == 1
    with pytest.raises(InputError, match="float64"):
        as_record(COLOUR / 255)
    image = Image("photo", COLOUR)
    assert as_record(image) is image


def test_the_fingerprint_is_that_of_the_pixels(tmp_path):
    one, other = saved(tmp_path / "a.png", COLOUR), saved(tmp_path / "b.bmp", COLOUR)
    assert load(one).fingerprint == load(other).fingerprint
    assert load(one).fingerprint != Image("turned", COLOUR[::-1]).fingerprint


def test_load_knows_shapes_and_pictures(tmp_path):
    assert isofield.load is load
    (tmp_path / "a.off").write_text(
        "OFF\n4 4 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 1 2 3\n3 0 3 2\n"
    )
    assert isinstance(load(tmp_path / "a.off"), Shape)


@pytest.mark.parametrize(
    ("name", "pixels"), [("a.jpg", ALPHA), ("a.webp", DEEP), ("a.tif", DEEP), ("a.gif", COLOUR)]
)
def test_what_a_format_cannot_hold_is_refused(tmp_path, name, pixels):
    with pytest.raises(InputError):
        write_image(tmp_path / name, pixels)
    assert list(tmp_path.iterdir()) == []
