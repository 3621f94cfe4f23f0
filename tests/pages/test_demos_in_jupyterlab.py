"""The same demo in JupyterLab: its state is a Python object, and both sides can change it."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import expect

CELLS = [
    'import cliplab\nd = cliplab.demo("merges")\nd',
    'print("python sees", d.text)',
    'd.text = "set from python"',
    'e = cliplab.demo("similarity")\ne',
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab whose folder holds one notebook, demo.ipynb."""
    folder = tmp_path_factory.mktemp("lab")
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, folder / "demo.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    homes = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "RUNTIME")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
               f"--port={port}", "--IdentityProvider.token=", f"--notebook-dir={folder}",
               "--LabApp.news_url=None",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **homes, "OMP_NUM_THREADS": "1"},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"{address}/api").close()
            break
        except OSError:
            time.sleep(0.25)
    yield address
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def notebook(new_context, lab):
    """That notebook, open, with a kernel that answers."""
    page = new_context(viewport={"width": 1200, "height": 1000}).new_page()
    outside = []
    page.on("request", lambda r: r.url.startswith((lab, "data:", "blob:")) or outside.append(r.url))
    page.goto(f"{lab}/lab/tree/demo.ipynb")
    expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")
    page.outside = outside
    yield page
    page.close()


def run(page, number):
    """Run one cell; gives its output area."""
    cell = page.locator(".jp-CodeCell").nth(number)
    prompt = cell.locator(".jp-InputArea-prompt")
    for _ in range(60):  # a kernel that only just says idle may miss one, or forget it
        if prompt.inner_text().strip() == "[ ]:":
            cell.locator(".cm-content").click()
            page.keyboard.press("Shift+Enter")
        with contextlib.suppress(AssertionError):
            expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=2000)
            break
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))
    return cell.locator(".jp-OutputArea")


def test_a_demo_and_its_python_object_agree(notebook):
    shown = run(notebook, 0)
    demo = shown.locator(".cld-demo")
    expect(demo.locator(".cld-read")).to_contain_text("lamp + light")
    demo.get_by_label("Your text").fill("a typed word")
    expect(demo.locator(".cld-number")).to_contain_text("3 tokens")
    expect(run(notebook, 1)).to_contain_text("python sees a typed word")
    run(notebook, 2)
    expect(demo.get_by_label("Your text")).to_have_value("set from python")
    expect(demo.get_by_role("button", name="Copy as Python")).to_be_visible()


def test_the_kernel_computes_for_a_demo(notebook):
    shown = run(notebook, 3)
    demo = shown.locator(".cld-demo")
    expect(demo).to_have_attribute("data-drawn", "1")
    expect(demo.locator(".cld-read")).not_to_have_text("Starting …")


def test_asks_no_other_host(notebook):
    assert notebook.outside == []
