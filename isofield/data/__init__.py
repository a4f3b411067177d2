"""What comes in and what leaves: files of shapes, checked at the border."""

from .readers import READERS, as_shape, load
from .shape import Shape
from .writers import write_mesh, write_points

__all__ = ["READERS", "Shape", "as_shape", "load", "write_mesh", "write_points"]
