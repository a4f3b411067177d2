"""What comes in and what leaves: files of shapes, checked at the border."""

from .readers import READERS, load
from .shape import Shape
from .writers import write_mesh, write_points

__all__ = ["READERS", "Shape", "load", "write_mesh", "write_points"]
