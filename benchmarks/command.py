"""Whole commands, measured: wall seconds and the peak of resident memory, as the system reports it for the
process.

A process that is started takes over its starter's peak memory until it runs its own program. So this file,
run as a program, is the small starter that stands between the benchmark (large, with its meshes) and the
command.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Measured", "cold_environment", "isofield", "measure"]


@dataclass(frozen=True)
class Measured:
    """One run of a command. seconds: wall time. peak: bytes of resident memory. output, messages: what it
    printed."""

    seconds: float
    peak: int
    exit_code: int
    output: str
    messages: str

    @property
    def peak_text(self) -> str:
        """The peak in MiB."""
        return f"{self.peak / 2**20:.0f} MiB"

    @property
    def cells(self) -> tuple[str, str]:
        """Seconds and peak memory as text for a table."""
        return f"{self.seconds:.1f}", self.peak_text

    @property
    def json(self) -> dict:
        """What a command printed under --json."""
        return json.loads(self.output)


def measure(
    command: list[str], environment: dict[str, str] | None = None, timeout: float = 1800, check: bool = True
) -> Measured:
    """Run `command`; with `check`, a command that fails ends the benchmark with its messages.

    environment: variables on top of the present ones. timeout: seconds, after which the command is ended.
    """
    with tempfile.NamedTemporaryFile("r", suffix=".json") as figures:
        starter = [sys.executable, "-I", "-S", __file__, figures.name, *command]
        process = subprocess.Popen(
            starter, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )  # fmt: skip
        try:
            output, messages = process.communicate(timeout=timeout)
        except BaseException as error:  # Ctrl-C too: the command is in a session of its own
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                sys.exit(f"ended after {timeout:.0f} s: {' '.join(command)}")
            raise
        seconds, peak, exit_code = json.load(figures)
    if check and exit_code != 0:
        sys.exit(f"exit code {exit_code}: {' '.join(command)}\n{messages}")
    return Measured(seconds, peak, exit_code, output, messages)


def isofield(*arguments: object, **options) -> Measured:
    """Run the installed `isofield` command of this Python; options as for `measure`."""
    return measure([_isofield(), *map(str, arguments)], **options)


def cold_environment(folder: Path) -> dict[str, str]:
    """Variables under which no kernel is compiled yet: numba's cache is the (empty) folder."""
    return {"NUMBA_CACHE_DIR": str(folder)}


def _isofield() -> str:
    command = Path(sys.executable).parent / "isofield"
    if not command.is_file():
        sys.exit(
            f"There is no isofield command beside {sys.executable}: run `make setup`, then .venv/bin/python."
        )
    return str(command)


def _start(figures: str, command: list[str]) -> None:
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    with open(figures, "w", encoding="ascii") as file:
        json.dump([seconds, usage.ru_maxrss * unit, os.waitstatus_to_exitcode(status)], file)


if __name__ == "__main__":
    _start(sys.argv[1], sys.argv[2:])
