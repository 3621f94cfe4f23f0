"""A folder on this machine's loopback address, for as long as a block of code needs it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def serving(
    folder: Path, headers: Mapping[str, str] | None = None, missing: Sequence[str] = ()
) -> Iterator[str]:
    """Gives http://127.0.0.1:PORT, where the folder's files are.

    Every answer carries `headers`; paths that hold one of `missing` are not found.
    """

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def end_headers(self):
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            super().end_headers()

        def send_head(self):
            if any(word in self.path for word in missing):
                return self.send_error(404)
            return super().send_head()

    handler = functools.partial(Handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
