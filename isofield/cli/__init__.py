"""The command line: one file a verb; each parses, calls the verb, prints. The first word is looked up in a
plain table."""

import importlib
import os
import sys
import time
from keyword import iskeyword

__all__ = ["main"]

LISTEN = 3.0  # seconds
VERBS = {
    "fit": "train on a shape, picture or scene, extract or render, evaluate, write the page: the main job",
    "train": "train one method alone",
    "import": "make a run of a checkpoint of another program",
    "extract": "turn a trained field into a certified mesh",
    "render": "show a trained picture at any resolution, a trained scene from anywhere",
    "evaluate": "compare a run's mesh, picture or views with its input, by named figures",
    "convert": "one representation into another: meshes, points, voxels, fields",
    "compare": "representations side by side at equal bytes",
    "combine": "solids from solids: union, difference, blends, offset, shell",
    "measure": "volume, area, thickness, plane sections",
    "query": "inside, signed distance and normal at given points",
    "view": "a live viewer in the browser, also while a run trains",
    "data": "look at an input before training: data check PATH",
    "list": "the methods and their settings",
    "doctor": "what this machine can do: kernels, their speed, memory",
    "demo": "the tour: fit an input that ships with isofield and check the result",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 1 failed, 2 bad usage or input, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from .. import __version__

        print(f"isofield {__version__}")
        return 0
    verb, *rest = arguments
    if verb not in VERBS:
        import difflib

        close = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f"Did you mean `isofield {close[0]}`?" if close else "`isofield --help` lists the commands."
        print(f"isofield: there is no command {verb!r}. {hint}", file=sys.stderr)
        return 2
    return _run(verb, rest)


def _run(verb: str, arguments: list[str]) -> int:
    from ..runtime.errors import Abandoned, InputError, IsofieldError
    from ..runtime.interruption import Interrupted
    from ..runtime.processes import is_first, processes
    from ..runtime.progress import say

    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        if processes() > 1 and verb != "train":
            raise InputError(
                "is the work of one process",
                "torchrun",
                f"Train with torchrun, then run `isofield {verb}` alone.",
            )
        importlib.import_module(f".{verb}_" if iskeyword(verb) else f".{verb}", __name__).main(arguments)
    except IsofieldError as error:
        if debug:
            raise
        common = isinstance(error, Interrupted) and not is_first()  # the first says it
        if not common and not isinstance(error, Abandoned):
            _complain(verb, str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except SystemExit as stop:  # the parser of flags: usage errors and --help
        return stop.code if isinstance(stop.code, int) else 2
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        text = f"unexpected {type(error).__name__}: {error}\n  Run again with --debug for the full trace."
        if isinstance(error, MemoryError) or "can't allocate memory" in str(error):  # the latter is torch's
            text = "not enough memory\n  Use fewer points, a smaller network, or a lower resolution."
        elif isinstance(error, OSError):
            text = f"{error}\n  Check the free space, and the permissions of the files and folders."
        _complain(verb, text)
        return 1
    return 0


def _complain(verb: str, text: str) -> None:
    """Print an error. Of several processes the first speaks at once. The others wait: where all failed alike,
    torchrun ends them before they say it again."""
    from ..runtime.processes import is_first

    if not is_first():
        time.sleep(LISTEN)
    print(f"isofield {verb}: {text}", file=sys.stderr)


def _help() -> str:
    width = max(map(len, VERBS))
    lines = "\n".join(f"  {verb:<{width}}  {summary}" for verb, summary in VERBS.items())
    return f"""usage: isofield COMMAND ...

Shapes, pictures and scenes as continuous neural fields: a mesh, points or photographs go in; a certified
mesh, a picture or views from anywhere come out.

{lines}

Start with:
  isofield fit my.ply               makes runs/0001-sdf-my/mesh.ply, certificate.json, metrics.json, page.html
  isofield fit photo.jpg            makes runs/0002-image-photo/reconstruction.png, metrics.json, page.html
  isofield fit lego --seconds 60    makes runs/0003-ngp-lego/test, orbit.webp, metrics.json, page.html
  isofield COMMAND --help           what a command does, with every flag and its default
Any command takes --debug for a full trace of an error."""
