"""PNG filters are undone as the specification says."""

import numpy as np
import pytest

from isofield.kernels import png_filters
from isofield.kernels.png_filters import reference


@pytest.mark.parametrize("pixel_bytes", [2, 6, 8])
def test_the_compiled_filters_equal_their_definition(pixel_bytes):
    rng = np.random.default_rng(pixel_bytes)
    rows = rng.integers(0, 256, (20, 5 * pixel_bytes), np.uint8)
    filters = np.arange(20, dtype=np.uint8) % 5
    expected = rows.copy()
    reference.unfilter(filters, expected, pixel_bytes)
    np.testing.assert_array_equal(png_filters.unfilter(filters, rows, pixel_bytes), expected)


def test_filters_are_undone_as_pillow_undoes_them(tmp_path):
    """Pillow filters each row as it finds best when it writes 16-bit grey; smooth pictures use all kinds."""
    import PIL.Image

    from isofield.data.deep_png import read_deep_png

    y, x = np.mgrid[:64, :80]
    pixels = (20_000 + 15_000 * np.sin(x / 9) * np.cos(y / 7) + 300 * x).astype(np.uint16)
    PIL.Image.fromarray(pixels).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_deep_png(tmp_path / "deep.png")[:, :, 0], pixels)
