#!/usr/bin/env python3
"""A small shop with orders, for an assistant to ask: `GET /orders/{number}`.

    $ python3 examples/shop/server.py
    listening at http://127.0.0.1:8750

It needs the key that the assistant sends, `SHOP_API_KEY`, or takes any when none is set. `--slow 3` answers
each request three seconds late; `--port 0` takes any free port. Nothing but Python is needed.
"""

import argparse
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORDERS = {
    "48213": {"status": "shipped", "carrier": "Colissimo", "due": {"fr": "vendredi", "en": "Friday"}},
    "48214": {"status": "preparing", "due": {"fr": "mardi prochain", "en": "next Tuesday"}},
    "48215": {"status": "delivered", "due": {"fr": "hier", "en": "yesterday"}},
}


class Shop(BaseHTTPRequestHandler):
    """Answers for one order."""

    protocol_version = "HTTP/1.1"
    key = os.environ.get("SHOP_API_KEY", "")
    slow = 0.0

    def do_GET(self):  # noqa: N802, the name is the library's
        time.sleep(self.slow)
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.key and not hmac.compare_digest(given.encode(), self.key.encode()):
            return self.answer(401, {"error": "wrong key"})
        parts = self.path.split("?")[0].strip("/").split("/")
        order = ORDERS.get(parts[1]) if len(parts) == 2 and parts[0] == "orders" else None
        if order is None:
            return self.answer(404, {"error": "no such order"})
        return self.answer(200, {"number": parts[1], **order})

    def answer(self, status, body):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Says nothing of each request."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8750)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds before each answer")
    arguments = parser.parse_args()
    Shop.slow = arguments.slow
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Shop)
    print(f"listening at http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
