"""Small HTTP servers the browser tests talk to: a collector that records, and pages on another host."""

import collections
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PUBLIC = Path(__file__).resolve().parents[2] / "Public"
STUB = (PUBLIC / "tracker.stub.js").read_text().strip()
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing and writes one bounded answer."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status, body=b"", kind="application/json", headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def public(self, path):
        """Answers a file of Public/, if the path names one."""
        file = PUBLIC / path.lstrip("/")
        if path.count("/") != 1 or not file.is_file():
            return False
        self.answer(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))
        return True


class Server:
    """Runs a handler class on a free loopback port until closed; the handler sees this object as `owner`."""

    def __init__(self, handler):
        bound = type(handler.__name__, (handler,), {"owner": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class CollectorHandler(Quiet):
    def cors(self):
        return {"Access-Control-Allow-Origin": self.headers.get("Origin", "*"), "Access-Control-Expose-Headers": "Retry-After"}

    def do_POST(self):
        body, owner = self.body(), self.owner
        if urlsplit(self.path).path != "/e":
            return self.answer(404, headers=self.cors())
        status, headers = owner.answers.popleft() if owner.answers else (202, {})
        batch = json.loads(body)
        owner.requests.append({"status": status, "headers": dict(self.headers), "size": len(body), "body": batch})
        self.answer(status, json.dumps({"accepted": len(batch["batch"]), "duplicate": 0, "rejected": []}).encode(), headers={**self.cors(), **headers})

    def do_OPTIONS(self):
        self.owner.preflights += 1
        self.answer(204, headers=self.cors())

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path.startswith("/v1/placements/"):
            return self.recommend(url)
        if not self.public(url.path):
            self.answer(404)

    def recommend(self, url):
        owner, query = self.owner, {k: v[0] for k, v in parse_qs(url.query).items()}
        name = url.path.split("/")[3]
        owner.asked.append({"placement": name, "cookie": self.headers.get("Cookie"), **query})
        if owner.recommend_status != 200:
            return self.answer(owner.recommend_status, b"{}", headers=self.cors())
        items = [
            {"itemId": f"sku-{i}", "position": i, "title": f"Item <b>{i}</b>", "link": f"/item/{i}", "image": "/dot.svg",
             "price": "19.50", "currency": "EUR", "category": "Lamps", "score": 0.5, "reason": "because you viewed a lamp"}
            for i in range(int(query.get("count", 4)))
        ]
        for item, change in zip(items, owner.changes):
            item.update(change)
        answer = {"recommendationId": f"RID-{len(owner.asked):025d}", "placement": name, "rung": "model", "items": items, "degraded": False}
        self.answer(200, json.dumps(answer).encode(), headers=self.cors())


class Collector(Server):
    """Stands in for the product: POST /e, placements, Public/. `answers` are the next (status, headers) for /e, then 202."""

    def __init__(self):
        self.requests, self.asked, self.changes = [], [], []
        self.answers = collections.deque()
        self.preflights = 0
        self.recommend_status = 200
        super().__init__(CollectorHandler)
        self.url = f"http://127.0.0.1:{self.port}"

    def stored(self):
        """The events of all batches that were accepted, in order of arrival."""
        return [e for r in self.requests if r["status"] == 202 for e in r["body"]["batch"]]

    def named(self, event):
        return [e for e in self.stored() if e.get("event") == event]

    def pages(self):
        return [e for e in self.stored() if e["type"] == "page"]


class PagesHandler(Quiet):
    def do_POST(self):
        (self.owner.reports if self.path == "/csp" else self.owner.posted).append(self.body().decode(errors="replace"))
        self.answer(204)

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/dot.svg":
            return self.answer(200, b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml")
        html, headers = self.owner.pages.get(path, (None, None))
        if html is not None:
            return self.answer(200, html.encode(), TYPES[".html"], headers)
        if not self.public(path):
            self.answer(404)


class Pages(Server):
    """The shop: pages by path, Public/, other POSTs in `posted`, and violations of its Content-Security-Policy in `reports`."""

    def __init__(self):
        self.pages, self.reports, self.posted = {}, [], []
        super().__init__(PagesHandler)
        self.url = f"http://localhost:{self.port}"

    def add(self, path, html, headers=None):
        self.pages[path] = (html, headers or {})
        return self.url + path
