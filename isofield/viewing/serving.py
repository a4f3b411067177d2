"""What the live viewer needs before it can serve: its library, an address, a free port."""

import errno
import importlib.util
import ipaddress
import socket

from ..runtime.errors import InputError

__all__ = ["check_viser", "free_port", "is_loopback"]

PORTS = 100  # tried one after another


def check_viser() -> None:
    """Raise InputError where the library viser is not installed."""
    if importlib.util.find_spec("viser") is None:
        raise InputError(
            "the library viser, which the live viewer stands on, is not installed",
            "isofield view",
            "Install it: pip install 'isofield[viewer]'",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_port(host: str, port: int) -> int:
    """`port` if nothing listens there on `host`, else the next one that is free.

    Raises InputError for a host that is not an address of this machine, and where there is no free port.
    """
    if not 1 <= port <= 65535:
        raise InputError(f"must be between 1 and 65535, not {port}", "--port", "Usual is 8080.")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise InputError(
            "is not an address", f"--host {host}", "Take 127.0.0.1 (this machine alone) or 0.0.0.0 (all)."
        ) from None
    for attempt in range(port, min(port + PORTS, 65536)):
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address[0], attempt))
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    continue
                raise InputError(
                    f"cannot be listened on ({error.strerror})",
                    f"--host {host}",
                    "Take 127.0.0.1 (this machine alone) or 0.0.0.0 (all of its addresses).",
                ) from None
            return attempt
    raise InputError(f"neither it nor the {PORTS} ports after it are free", f"--port {port}", "Name another.")
