"""Just enough of Chromium's DevTools protocol to open a page, evaluate in it, and wait."""

import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request

import websocket

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--mute-audio",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0",
    "--remote-allow-origins=*", "--window-size=1400,1000",
]  # fmt: skip


def find() -> str | None:
    """The browser's program, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


class Page:
    """One page of a headless browser; use as a context manager."""

    def __init__(self, profile):
        self.process = subprocess.Popen(
            [find(), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        address = None
        while address is None:
            line = self.process.stderr.readline()
            assert line, "the browser ended at once"
            address = re.search(r"DevTools listening on ws://([\d.]+:\d+)/", line)
        with urllib.request.urlopen(f"http://{address.group(1)}/json") as answer:
            targets = json.load(answer)
        target = next(t for t in targets if t["type"] == "page")
        self.socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=120)
        self.numbers = itertools.count(1)
        self.events: list[dict] = []  # of the domains that a caller enabled, until it clears them
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)  # as if one looked at it

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stderr.close()

    def call(self, method: str, **parameters) -> dict:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            if "method" in message:
                self.events.append(message)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def evaluate(self, script: str):
        """The value of a script (a promise is awaited)."""
        done = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str, seconds: float = 90):
        """The first truthy value of a script, tried until then."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = self.evaluate(script)
            if value:
                return value
            time.sleep(0.25)
        raise AssertionError(f"never true: {script}\n{self.evaluate('document.body.innerText')}")
