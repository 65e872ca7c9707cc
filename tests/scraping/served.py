"""A page like an agent's: `served.py`; prints its port."""

from __future__ import annotations

import gzip
from http.server import BaseHTTPRequestHandler, HTTPServer

SERIES = 50


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        Page.asked += 1
        lines = ["# TYPE x gauge", *(f'x{{n="{number}"}} 1' for number in range(SERIES - 2))]
        lines += [
            f"aipower_agent_ticks_total {Page.asked}.0",
            f"aipower_agent_tick_late_seconds_total {Page.asked / 4}",
        ]
        body = "".join(f"{line}\n" for line in lines).encode()
        packed = "gzip" in self.headers["Accept-Encoding"]
        body = gzip.compress(body) if packed else body
        self.send_response(200)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Page)
    print(server.server_port, flush=True)
    server.serve_forever()
