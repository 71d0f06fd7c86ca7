"""websocket-client: receive each frame. With BENCH_DECODE=1 also decode it; nothing is recorded.

Its validation of UTF-8, written in Python, is switched off: with it a frame takes 150 µs.
"""

import json
import os

import orjson
import websocket

from benchmarks.loads.common import JOIN


def main() -> None:
    """Read until killed."""
    url = "ws" + os.environ["BENCH_URL"].removeprefix("http") + "/realtime/v1/websocket?vsn=2.0.0"
    socket = websocket.create_connection(url, skip_utf8_validation=True)
    socket.send(json.dumps(JOIN))
    receive = socket.recv
    if os.environ.get("BENCH_DECODE"):
        decode = orjson.loads
        while True:
            decode(receive())
    while True:
        receive()


if __name__ == "__main__":
    main()
