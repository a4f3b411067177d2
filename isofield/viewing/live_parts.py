"""What the live viewers share: the server, light and first view, and the parts of their panels."""

import contextlib
import io
import math
import socket
from html import escape
from typing import Any

import numpy as np

from .charts import number_text
from .colours import Kind, colour_map
from .picture import FIELD_OF_VIEW, UP_AXES, VIEWER, Up
from .serving import check_viser, free_port

__all__ = [
    "ACCENT",
    "PAPER",
    "heading",
    "ramp",
    "set_the_scene",
    "slider",
    "start_server",
    "stop_server",
    "url_of",
]

AZIMUTH, ELEVATION = math.radians(35), math.radians(18)  # of the first view, as on the page
ROOM = 1.05  # distance of the first view over that at which the shape's ball touches the edges
PAPER, ACCENT = (244, 242, 237), (168, 72, 26)


def start_server(host: str, port: int) -> Any:
    """A server of viser at an address, or at the next port that is free. Raises InputError where viser is
    missing or the address cannot be had."""
    check_viser()
    import viser  # here: an extra

    with _unheard():
        return viser.ViserServer(host, free_port(host, port), "isofield", verbose=False)


def stop_server(server: Any) -> None:
    """Stop serving."""
    with _unheard():
        server.stop()


def url_of(server: Any) -> str:
    """Where browsers find the scene; where it is served on all addresses, by this machine's name."""
    host = server.get_host()
    host = socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{host}]' if ':' in host else host}:{server.get_port()}"


def _unheard() -> contextlib.redirect_stdout:
    """viser speaks on standard output when it starts and stops."""
    return contextlib.redirect_stdout(io.StringIO())


def set_the_scene(server: Any, up: Up) -> None:
    """Light, background and the first view, as on the page."""
    scene, camera = server.scene, server.initial_camera
    right, above, front = np.array(UP_AXES[up], np.float64)

    def direction(azimuth: float, elevation: float) -> np.ndarray:
        level = math.cos(azimuth) * front + math.sin(azimuth) * right
        return math.cos(elevation) * level + math.sin(elevation) * above

    server.gui.configure_theme(show_logo=False, show_share_button=False, brand_color=ACCENT)
    scene.set_up_direction(above)
    scene.world_axes.visible = False
    scene.set_background_image(np.full((2, 2, 3), PAPER, np.uint8), format="png")
    scene.configure_default_lights(enabled=False)
    scene.configure_environment_map(None)
    scene.add_light_hemisphere(
        "/lights/sky", sky_color=(226, 229, 236), ground_color=(140, 126, 110), intensity=1.5, position=above
    )
    lamp, place = scene.add_light_directional, direction
    lamp("/lights/key", color=(255, 246, 233), intensity=2.3, position=place(AZIMUTH - 0.75, 0.7))
    lamp("/lights/back", color=(235, 240, 255), intensity=0.7, position=place(AZIMUTH + 2.4, 0.3))
    camera.position = ROOM * VIEWER * direction(AZIMUTH, ELEVATION)
    camera.look_at, camera.up = np.zeros(3), above
    camera.fov, camera.near, camera.far = float(FIELD_OF_VIEW), 0.02, 200.0


def slider(gui: Any, name: str, low: float, high: float, start: float, hint: str) -> Any:
    """A slider with some hundred steps that people can read."""
    digits = 2 - math.floor(math.log10(high - low))
    low, high, start = (round(value, digits) for value in (low, high, start))
    ends = ((low, number_text(low)), (high, number_text(high)))
    return gui.add_slider(name, low, high, 10.0**-digits, start, marks=ends, hint=hint)


def heading(title: str, note: str) -> str:
    """What is shown, in bold, and a sentence on it, as HTML."""
    return (
        f'<div style="padding:0.2em 0.75em 0.4em;line-height:1.35"><b>{escape(title)}</b>'
        f'<div style="opacity:0.7;font-size:0.85em">{escape(note)}</div></div>'
    )


def ramp(kind: Kind, low: str, high: str) -> str:
    """The colours of a map from left to right, with words at its ends."""
    stops = ",".join(f"rgb{tuple(map(int, colour))}" for colour in colour_map(np.arange(17), 0, 16, kind))
    return (
        '<div style="padding:0.2em 0.75em 0.4em;font-size:0.8em">'
        f'<div style="height:0.7em;border-radius:0.2em;background:linear-gradient(to right,{stops})"></div>'
        '<div style="display:flex;justify-content:space-between;opacity:0.7">'
        f"<span>{escape(low)}</span><span>{escape(high)}</span></div></div>"
    )
