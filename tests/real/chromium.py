"""A real browser without a window, driven over a pipe by the protocol that its developer tools speak."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

HOW_TO_INSTALL: Final = "Chromium was not found: python3 .ci/parts (make test does so first)"

_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # tests run as root, in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
_FIRST_FREE: Final = 10
_TIMEOUT_S: Final = 90.0


def find() -> str | None:
    """The program; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """A browser with one tab, until it is closed.

    ``problems`` is what the console of the page said, and ``asked`` what the page requested.
    """

    def __init__(self) -> None:
        program = find()
        assert program, HOW_TO_INSTALL
        self.problems: list[str] = []
        self.asked: list[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix="agent-otel-browser-", ignore_cleanup_errors=True)
        self._buffer = b""
        self._last = 0
        self._events: list[dict[str, Any]] = []
        self._session = ""
        hears, self._out = _pipe()
        self._in, says = _pipe()
        # The browser reads from descriptor 3 and writes to 4.
        script = f'exec "$0" "$@" 3<&{hears} 4>&{says}'
        flags = (*_FLAGS, f"--user-data-dir={self._folder.name}")
        self._process = subprocess.Popen(
            ["bash", "-c", script, program, *flags, "about:blank"],
            pass_fds=(hears, says),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(hears)
        os.close(says)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")

    def open(self, page: Path, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Opens a file in a window of this size, for a reader who wants it light or dark."""
        self.problems.clear()
        self.asked.clear()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._events.clear()
        self._call("Page.navigate", url=page.as_uri())
        deadline = time.monotonic() + _TIMEOUT_S
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._read(deadline)
        self.evaluate("document.fonts.ready.then(() => true)")
        for event in self._events:
            self._note(event["method"], event["params"])

    def evaluate(self, expression: str) -> Any:
        """What JavaScript gives in the page; the tools may run it where the page itself may not."""
        done = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def screenshot(self) -> bytes:
        """What the window shows, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        """Ends it, and all that it started."""
        with contextlib.suppress(ProcessLookupError):  # it ended before
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        os.close(self._out)
        os.close(self._in)
        self._folder.cleanup()

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif method == "Log.entryAdded":
            self.problems.append(f"{told['entry']['level']}: {told['entry']['text']}")
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.problems.append(json.dumps(told)[:500])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        sent = json.dumps(message).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._out, sent) :]
        deadline = time.monotonic() + _TIMEOUT_S
        while (answer := self._read(deadline)).get("id") != self._last:
            pass
        assert "error" not in answer, (method, answer)
        return dict(answer["result"])

    def _read(self, deadline: float) -> dict[str, Any]:
        """The next message; events are kept, too."""
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            assert left > 0, "the browser did not answer in time"
            assert select.select([self._in], [], [], left)[0], "the browser did not answer in time"
            chunk = os.read(self._in, 1 << 20)
            assert chunk, f"the browser ended with {self._process.poll()}"
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if "method" in message:
            self._events.append(message)
        return message


def _pipe() -> tuple[int, int]:
    """Both ends of a pipe, out of the way of the descriptors that the browser has its own use for."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
