"""nginx as the quickest server that answers a send: a fixed message as JSON, 201, keep-alive."""

import http.client
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path

from benchmarks.cores import Pinned

ANSWER = (
    '{"id":"5b1e7a52-3b63-4b2c-9a67-6b2f8f2f3a11","chat_id":"0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21",'
    '"sender_id":"c0a80101-3b63-4b2c-9a67-6b2f8f2f3a22","message_text":"see you at the station at five",'
    '"seq":1234,"status":"sent","created_at":"2026-11-23T16:00:00.123456+00:00"}'
)
START_S = 5.0

_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location = /api/messages {{ return 201 '{answer}'; }}
    location = /status {{ stub_status; }}
  }}
}}
"""


class Nginx:
    """An nginx of our own on a free port of loopback, on one core."""

    def __init__(self, core: int) -> None:
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
        if binary is None:
            raise SystemExit("benchmarks: nginx is not installed; on Debian: apt-get install nginx-light")
        self._folder = tempfile.TemporaryDirectory(prefix="chatsoak-nginx-")
        folder = Path(self._folder.name)
        folder.chmod(0o755)  # its worker may be another user
        self.port = _free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, port=self.port, answer=ANSWER), encoding="utf-8"
        )
        self._process = Pinned(
            [binary, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)],
            core,
            log=folder / "output.log",
        )

    def __enter__(self) -> "Nginx":
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.requests()
            except OSError:
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise
                time.sleep(0.02)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.__exit__()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def requests(self) -> int:
        """How many requests it has taken so far; our own questions add a dozen a second."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/status")
            found = re.search(r"\s(\d+) (\d+) (\d+)", connection.getresponse().read().decode())
        finally:
            connection.close()
        assert found, "stub_status always has the three totals"
        return int(found.group(3))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
