"""`isofield view RUN|FILE`: a live viewer in the browser."""

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from ..verbs.view import view
from .arguments import Shared, parse, show

__all__ = ["main"]

DESCRIPTION = """Look at a run, also while it trains, or at a file, in the browser.

Of a run: its mesh (or what the newest checkpoint holds, on 128 cells), a slice of the field to drag along x,
y and z, the level of the field to slide, distances to the input as colours, the input itself. A training that
goes on is followed: what it saves is shown within seconds. Of a file: the mesh or the points as they are.

Of a run on photographs: what a camera sees that you move freely (colour, depth or opacity; cropped by a box),
the cameras of the photographs, and paths of cameras to edit, saved as nerfstudio's JSON (`isofield render`).

Prints an address to open; Ctrl-C ends. Only this machine can reach it unless --host names another address.

Examples: isofield view runs/0001-sdf-bunny
          isofield view scan.ply --port 9000
          isofield view runs/0001-sdf-bunny --host 0.0.0.0      (whoever reaches this machine sees it too)"""


@dataclass(frozen=True)
class Arguments:
    """Arguments of `isofield view`."""

    source: tyro.conf.Positional[Path]
    """folder of a run, or a file of a mesh, points or voxels"""
    host: str = "127.0.0.1"
    """address that is listened on; 0.0.0.0 for all of this machine's"""
    port: int = 8080
    """the next free one is taken where something listens there"""
    shared: Shared = field(default_factory=Shared)


def main(arguments: list[str]) -> None:
    """Parse, print the address, serve until Ctrl-C."""
    a = parse(Arguments, arguments, "view", DESCRIPTION)
    a.shared.apply()
    view(a.source, a.host, a.port, lambda url: show({"url": url}, a.shared.json, url))
