"""What comes in and what leaves: files of shapes, pictures and scenes, checked at the border."""

from .image import IMAGE_ENDINGS, Image, write_image
from .readers import READERS, Record, as_record, as_shape, load, load_shape
from .scene import Scene
from .scenes import load_scene
from .shape import Shape
from .writers import write_mesh, write_points

__all__ = [
    "IMAGE_ENDINGS",
    "READERS",
    "Image",
    "Record",
    "Scene",
    "Shape",
    "as_record",
    "as_shape",
    "load",
    "load_scene",
    "load_shape",
    "write_image",
    "write_mesh",
    "write_points",
]
