"""Kernels that find torch, diffusers and matplotlib imported: nbval starts one for every notebook.

    pytest -p tests.kernels        kernels of the name python3 come from a nursery
    python kernels.py FOLDER       the nursery: imports, then forks a kernel for each request
    python kernels.py FOLDER FILE …  the stand-in of one kernel: its connection file, its options

Jupyter starts, signals and kills the stand-in. It hands signals on to the kernel and ends with it;
the kernel ends with the stand-in, however that ended.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

READY = [
    *("ipykernel.kernelapp", "matplotlib.pyplot", "cliplab.plots"),
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
]


def pytest_configure(config):
    """One nursery serves all processes that run tests: they find it in the environment."""
    if not hasattr(config, "workerinput"):
        kernels = warm()
        kernels.__enter__()
        config.add_cleanup(lambda: kernels.__exit__(None, None, None))


@contextmanager
def warm():
    """Until its end, what `jupyter_client` starts as python3 is a stand-in."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as after:
        spec = Path(folder, "kernels", "python3", "kernel.json")
        spec.parent.mkdir(parents=True)
        argv = [sys.executable, "-S", "-E", __file__, folder, "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "warm", "language": "python"}))
        nursery = subprocess.Popen(
            [sys.executable, __file__, folder],
            stdin=subprocess.PIPE,
            env=os.environ | {"TRANSFORMERS_VERBOSITY": "error"},
        )
        after.callback(nursery.wait)
        after.callback(nursery.stdin.close)
        before = os.environ.get("JUPYTER_PATH", "")
        after.callback(os.environ.update, JUPYTER_PATH=before)
        os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [folder, before]))
        yield


def nurse(folder: str) -> None:
    for name in READY:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # kernels that end are not waited for
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{folder}/ready.part")
        door.listen()
        os.rename(f"{folder}/ready.part", f"{folder}/ready")  # there is no door before it is open
        while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:  # until nobody holds it
            stand_in, _ = door.accept()
            if os.fork() == 0:
                door.close()
                become_kernel(stand_in)
            stand_in.close()
    shutil.rmtree(folder, ignore_errors=True)


def become_kernel(stand_in: socket.socket) -> None:
    request = json.loads(stand_in.recv(1 << 20))
    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    stand_in.sendall(f"{os.getpid()}\n".encode())

    def end_with_the_stand_in():
        stand_in.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_the_stand_in, daemon=True).start()
    sys.argv[:] = ["ipykernel_launcher", "-f", request["file"], *request["options"],
                   "--IPKernelApp.log_level=ERROR",
                   f"--IPKernelApp.parent_handle={os.getppid()}"]  # fmt: skip
    sys.path[0] = ""
    importlib.import_module("ipykernel.kernelapp").launch_new_instance()
    os._exit(0)


def stand_in_for_kernel(folder: str, file: str, *options: str) -> None:
    while not os.path.exists(f"{folder}/ready"):
        time.sleep(0.1)
    with socket.socket(socket.AF_UNIX) as kernel:
        kernel.connect(f"{folder}/ready")
        environ = {k: v for k, v in os.environ.items() if k != "JPY_PARENT_PID"}
        request = {"file": file, "options": options, "folder": os.getcwd(), "environ": environ}
        kernel.sendall(json.dumps(request).encode())
        pid = int(kernel.recv(100))
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(pid, number))
        while kernel.recv(1):
            pass


if __name__ == "__main__":
    nurse(*sys.argv[1:]) if len(sys.argv) == 2 else stand_in_for_kernel(*sys.argv[1:])
