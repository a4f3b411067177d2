"""The commands as a user gives them, run within the test's own process, and one small run to work on."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from isofield.cli import main
from isofield.runtime import threads
from isofield.runtime.progress import set_quiet

ROOT = Path(__file__).resolve().parents[2]
# a network that learns a simple shape in a second
SETTINGS = {"points": 4096, "network": {"levels": 3, "coarsest": 8, "finest": 32, "log2_table": 15}}


@dataclass(frozen=True)
class Answer:
    """What a command left behind in the terminal."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """Standard output as JSON, and nothing else."""
        return json.loads(self.out)

    def assert_done(self) -> "Answer":
        assert self.code == 0, self.err
        return self

    def assert_clear_error(self) -> "Answer":
        """The last words are an error: what is wrong, then what to do, without the program's insides."""
        assert self.code in (1, 2), self
        assert "Traceback" not in self.err
        assert "unexpected" not in self.err
        assert re.search(r"^isofield [a-z]+: .+\n(.*\n)*  .+\n\Z", self.err, re.MULTILINE), self.err
        return self


@pytest.fixture
def command(capsys) -> Callable[..., Answer]:
    """Runs `isofield` with the given words."""
    before = threads.threads()

    def run(*words: object) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Answer(code, *capsys.readouterr())

    yield run
    set_quiet(False)
    if threads.threads() != before:
        threads.set_threads(before)


@pytest.fixture(scope="session")
def spot() -> Path:
    """The shape that ships with isofield: a cow, closed, 5856 faces."""
    return ROOT / "isofield" / "data" / "spot.ply"


@pytest.fixture(scope="session")
def settings(tmp_path_factory) -> Path:
    """A file of settings for a fast training."""
    path = tmp_path_factory.mktemp("settings") / "small.json"
    path.write_text(json.dumps(SETTINGS))
    return path


@pytest.fixture(scope="session")
def fast(settings) -> list[object]:
    """Flags of a fit that takes about a second."""
    return ["--quality", "draft", "--config", settings, "--steps", "60", "--resolution", "48"]


@pytest.fixture(scope="session")
def hasty(settings) -> list[object]:
    """Flags of a fit whose mesh nobody looks at."""
    return ["--quality", "draft", "--config", settings, "--steps", "10", "--resolution", "24"]


@pytest.fixture(scope="session")
def spot_run(spot, fast, tmp_path_factory) -> Path:
    """The folder of a fit of spot. Tests leave it as it is."""
    out = tmp_path_factory.mktemp("spot") / "run"
    assert main([str(word) for word in ["fit", spot, *fast, "--out", out, "--quiet"]]) == 0
    return out
