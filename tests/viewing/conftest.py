"""A headless Chromium driven over the DevTools protocol through a pipe: the standard library is enough."""

import base64
import io
import json
import os
import select
import shutil
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chrome-headless-shell")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
)
PATIENCE = 90  # seconds
READY = "document.documentElement.dataset.ready === '1'"


class Browser:
    """One tab. `messages`: console errors and exceptions since `open`; `requests`: addresses asked for."""

    def __init__(self, program: str, profile: str, flags: tuple[str, ...] = ()):
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        # The browser reads on descriptor 3 and answers on 4. The pipes may have these numbers: go by 8 and 9.
        wiring = f'exec 8<&{to_child} 9>&{from_child}; exec "$0" "$@" 3<&8 4>&9 8<&- 9>&-'
        self._process = subprocess.Popen(
            ["bash", "-c", wiring, program, *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_child, from_child), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_child)
        os.close(from_child)
        self._buffer, self._number, self._session = b"", 0, None
        self.messages: list[str] = []
        self.requests: list[str] = []
        target = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters) -> dict:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._out, json.dumps(command).encode() + b"\0")
        end = time.monotonic() + PATIENCE
        while True:
            answer = self._next(end)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _next(self, end: float) -> dict:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(end - time.monotonic(), 0))
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser does not answer")
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(line)
        event, detail = message.get("method"), message.get("params", {})
        if event == "Network.requestWillBeSent":
            self.requests.append(detail["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(detail["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and detail["type"] in ("error", "warning", "assert"):
            self.messages.append(json.dumps(detail["args"]))
        elif event == "Log.entryAdded" and detail["entry"]["level"] == "error":
            self.messages.append(json.dumps(detail["entry"]))
        return message

    def open(self, path, address: str = "", width=1280, height=900, ratio=1, dark=False, ready=READY) -> None:
        """Open a page from disk and wait until `ready` is true there."""
        self.visit(f"{path.as_uri()}{address}", width, height, ratio, dark, ready)

    def visit(self, url: str, width=1280, height=900, ratio=1, dark=False, ready="true") -> None:
        self.messages, self.requests = [], []
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=ratio,
            mobile=width < 600,
        )
        self.ask(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.ask("Page.navigate", url="about:blank")
        self.ask("Page.navigate", url=url)
        self.wait(f"location.protocol !== 'about:' && {ready}")

    def run(self, script: str):
        """The value of a JavaScript expression in the page."""
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)[
            "result"
        ].get("value")

    def wait(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.run(condition):
            assert time.monotonic() < end, f"never true: {condition}\n{self.messages}"
            time.sleep(0.05)

    def settle(self) -> None:
        """Wait until two frames have passed: what was asked for is drawn."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def picture(self, element: str | None = None, whole=False) -> np.ndarray:
        """A screenshot, uint8 [H, W, 3]: of an element (a selector), of the window, or of the whole page."""
        self.settle()
        clip = {}
        if element:
            box = self.run(f"(() => {{ const b = document.querySelector('{element}').getBoundingClientRect();"
                           " return [b.x + scrollX, b.y + scrollY, b.width, b.height]; })()")  # fmt: skip
            clip = {"clip": {"x": box[0], "y": box[1], "width": box[2], "height": box[3], "scale": 1}}
        elif whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        shot = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=bool(clip), **clip)[
            "data"
        ]
        return np.array(Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB"))

    def key(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def drag(self, start: tuple[float, float], stop: tuple[float, float], button="left") -> None:
        mouse = {"button": button, "buttons": 1 if button == "left" else 2, "clickCount": 1}
        self.ask("Input.dispatchMouseEvent", type="mousePressed", x=start[0], y=start[1], **mouse)
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=stop[0], y=stop[1], **mouse)
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", x=stop[0], y=stop[1], button=button)

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)
        self._process.terminate()
        self._process.wait(10)


def start_browser(profile, flags: tuple[str, ...] = ()) -> Browser:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser in the PATH ({', '.join(NAMES)})")
    return Browser(program, str(profile), flags)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    tab = start_browser(tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


@pytest.fixture
def browser_without_webgl(tmp_path):
    tab = start_browser(tmp_path, ("--disable-gpu", "--disable-3d-apis"))
    yield tab
    tab.close()
