"""JupyterLab on a notebook of a test's own cells, opened and run in a browser."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from course_lib import paths
from course_lib.notebook import running, setup

PANEL = "[...jupyterapp.shell.widgets('main')].find(w => w.sessionContext)"


@contextmanager
def serving(folder: Path, sources: list[str]) -> Iterator[str]:
    """The address of JupyterLab in `folder`/lab, on a notebook of the setup cell and these."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "source": source}
        | {"outputs": [], "execution_count": None}
        for i, source in enumerate([setup.cell(), *sources])
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    lab = folder / "lab"
    lab.mkdir()
    running.save(book, lab / "widgets.ipynb")
    (lab / "course").symlink_to(paths.root(), target_is_directory=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser", f"--notebook-dir={lab}"]
    environment = os.environ | {
        "PYTHONPATH": str(paths.root()),
        "COURSE_HOME": str(folder / "home"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    with (
        open(folder / "lab.log", "w", encoding="utf-8") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=lab) as server,
    ):
        try:
            deadline = time.monotonic() + 90
            while not _answers(f"http://127.0.0.1:{port}"):
                assert time.monotonic() < deadline, (folder / "lab.log").read_text("utf-8")
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def run_all(browser, address: str) -> None:
    """Open the notebook and ask for all of its cells to be run."""
    browser.open(f"{address}/lab/tree/widgets.ipynb?reset")
    browser.wait("!!(window.jupyterapp && document.querySelector('.jp-Notebook'))")
    browser.wait(f"{PANEL}?.sessionContext.session?.kernel?.status == 'idle'")
    browser.evaluate(f"jupyterapp.shell.activateById({PANEL}.id)")
    browser.evaluate(f"{PANEL}.content.activate()")
    browser.wait(f"jupyterapp.shell.currentWidget == {PANEL}")
    browser.evaluate("jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api") as answer:
            return "version" in json.load(answer)
    except OSError:
        return False
