"""Requests that nobody means well with, or that a wrong program sends: what the tests and a bench throw at the app."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app_process import NAN, bomb, data_url, drawn, png

PNG = png(drawn())
API = "/gradio_api"
ENDPOINTS = ("classify", "denoise", "reconstruct", "sample", "morph")
MARK = {"meta": {"_type": "gradio.FileData"}}  # how Gradio marks a file


class Request(NamedTuple):
    """What is sent; `name` says to a reader what is wrong with it."""

    name: str
    path: str
    body: bytes | None = None
    kind: str = "application/json"
    method: str = "POST"


def send(url: str, request: Request, timeout: float = 30) -> tuple[int, str]:
    """Status and body of the answer; what follows after the first lines of a stream is not waited for."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)
    try:
        headers = {"Content-Type": request.kind} if request.body is not None else {}
        connection.request(request.method, request.path, request.body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def multipart(name: str = "a.png", data: bytes = PNG, field: str = "files", boundary: str = "line") -> bytes:
    """A form with one file."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    return f"{head}Content-Type: image/png\r\n\r\n".encode() + data + f"\r\n--{boundary}--\r\n".encode()


def uploads() -> Iterator[Request]:
    """Files that are sent wrongly, or have wrong names."""
    form = "multipart/form-data; boundary=line"
    path = f"{API}/upload"
    field = b'--line\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--line--\r\n'
    bodies = {
        "no form": (b"x", "application/json"),
        "no boundary": (multipart(), "multipart/form-data"),
        "another boundary": (multipart(boundary="other"), form),
        "an empty body": (b"", form),
        "cut off": (multipart()[:60], form),
        "cut off in the file": (multipart()[:400], form),
        "a text instead of a file": (field, form),
        "another field": (multipart(field="file"), form),
        "no disposition": (b"--line\r\nX: y\r\n\r\nabc\r\n--line--\r\n", form),
        "a disposition without a name": (b"--line\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--line--\r\n", form),
        "the name of a folder": (multipart(".."), form),
        "the name of this folder": (multipart("."), form),
        "a way out": (multipart("../../../etc/passwd"), form),
        "a name of dots and a slash": (multipart("../"), form),
        "an empty name": (multipart(""), form),
        "a name of 300 letters": (multipart("a" * 300 + ".png"), form),
        "a name of 300 Chinese letters": (multipart("数" * 300 + ".png"), form),
        "a NUL in its name": (multipart("a\0b.png"), form),
        "a name that is no UTF-8": (multipart("a.png").replace(b"a.png", b"\xff\xfe.png"), form),
        "an empty file": (multipart(data=b""), form),
        "too large": (multipart(data=bytes(21_000_000)), form),
        "another alphabet": (multipart(), "multipart/form-data; boundary=line; charset=nonsense"),
    }
    for name, (body, kind) in bodies.items():
        yield Request(name, path, body, kind)
    yield Request("the way of an upload that is none", f"{API}/upload_progress?upload_id=none", method="GET")


def calls() -> Iterator[Request]:
    """Bodies that no endpoint asks for, by every way to call one."""
    image = data_url(PNG)
    bodies = {
        "no JSON": b"{",
        "an empty body": b"",
        "a list": b"[]",
        "a number": b"7",
        "null": b"null",
        "a text": b'"data"',
        "no data": b"{}",
        "data null": b'{"data": null}',
        "data a text": b'{"data": "x"}',
        "data a number": b'{"data": 7}',
        "no inputs": b'{"data": []}',
        "too many inputs": json.dumps({"data": [image] * 20}).encode(),
        "inputs of other types": json.dumps({"data": [7, [], {}, None, True]}).encode(),
        "texts": json.dumps({"data": ["x", "x", "x", "x", "x"]}).encode(),
        "no number": json.dumps({"data": [NAN] * 5}).encode(),
        "lists": json.dumps({"data": [[[[]]]] * 5}).encode(),
        "a deep list": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "a file of the host": json.dumps({"data": [{"path": "/etc/passwd", **MARK}, "mnist-cnn"]}).encode(),
        "a file of the host, unmarked": json.dumps({"data": [{"path": "/etc/passwd"}, "mnist-cnn"]}).encode(),
        "a file that is not there": json.dumps({"data": [{"path": "/tmp/gradio/x.png", **MARK}]}).encode(),
        "another host's picture": json.dumps({"data": [{"url": "http://127.0.0.1:1/x.png", **MARK}]}).encode(),
        "a bomb": json.dumps({"data": [data_url(bomb())]}).encode(),
        "an address that holds nothing": json.dumps({"data": [{"url": "data:image/png;base64,"}, None]}).encode(),
        "a function by a number that none has": b'{"data": [], "fn_index": 99999}',
        "a function by a text": b'{"data": [], "fn_index": "x"}',
        "a function of the page": b'{"data": [], "fn_index": 3}',
        "a function of the page, of a session": b'{"data": [], "fn_index": 3, "session_hash": "a"}',
        "a session that is a list": b'{"data": [], "session_hash": []}',
        "a trigger that is none": b'{"data": [], "session_hash": "b", "trigger_id": 999999}',
        "event data": b'{"data": [], "session_hash": "b", "event_data": "x"}',
        "no UTF-8": b'{"data": ["\xff\xfe"]}',
        "half a letter": b'{"data": ["\\ud800", "\\ud800"], "session_hash": "\\ud800"}',
        "a number without end": b'{"data": [' + b"9" * 5000 + b"]}",
    }
    for name, body in bodies.items():
        for endpoint in (*ENDPOINTS, "nothing"):
            yield Request(f"{endpoint}: {name}", f"{API}/run/{endpoint}", body)
        for way in ("call/classify", "call/nothing", "call/v2/classify", "call/v2/nothing", "queue/join"):
            yield Request(f"{way}: {name}", f"{API}/{way}", body)
    for way in ("api/classify", "component_server", "cancel", "reset", "stream/x", "stream/x/close", "vibe-edit"):
        for name in ("no JSON", "no data", "no inputs", "a list"):
            yield Request(f"{way}: {name}", f"{API}/{way}", bodies[name])
    yield Request("a form to an endpoint", f"{API}/run/classify", b"data=x", "application/x-www-form-urlencoded")
    served = {"component_id": 1, "session_hash": "c", "fn_name": "x", "data": 1}
    for name, more in {"none": {}, "no number": {"component_id": []}, "unknown": {"component_id": 99999}}.items():
        yield Request(f"a component: {name}", f"{API}/component_server", json.dumps(served | more).encode())
    yield Request("a component by a form", f"{API}/component_server", multipart(), "multipart/form-data; boundary=line")


def events(config: dict[str, Any]) -> Iterator[Request]:
    """The page's own events, of which `config` tells, with as many inputs as they take, but others."""
    values = (None, "x", -1e308, NAN, [], {}, [[]], {"path": "/etc/passwd"}, {"path": "/etc/passwd", **MARK}, "\ud800")
    for event in config["dependencies"]:
        for value in values:
            body = {"data": [value] * len(event["inputs"]), "fn_index": event["id"], "session_hash": "d"}
            yield Request(f"event {event['id']}: {value!r}", f"{API}/run/x", json.dumps(body).encode())


def addresses() -> Iterator[Request]:
    """Paths that nobody is given."""
    files = (
        "/etc/passwd",
        "app.py",
        "../app.py",
        "/tmp/gradio",
        "",
        "x",
        "a%00b",
        "a" * 5000,
        "C:\\x",
        "//host/x",
        "~",
    )
    paths = [f"{API}/file={path}" for path in files]
    paths += [f"{API}/file=http://127.0.0.1:1/x", f"{API}/file=http://", f"{API}/file/x", f"{API}/proxy=http://x.y/z"]
    paths += [f"{API}/queue/data", f"{API}/queue/data?session_hash=none", f"{API}/call/classify/none"]
    paths += [f"{API}/stream/a/b/1/playlist.m3u8", f"{API}/stream/a/b/1/2.ts", f"{API}/stream/a/b/x/playlist-file"]
    paths += [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/assets/none.js",
        "/lab/../app.py",
        "/lab/%2e%2e/%2e%2e/app.py",
    ]
    paths += [f"{API}/custom_component/x/client/{'a' * 5000}/a%0Aa%0A%1B", f"{API}/custom_component/x/server/y/a.js"]
    paths += [f"{API}/custom_component/x/y/z/a.js", f"{API}/custom_component/x/client/component/..%2f..", "/svelte/x"]
    paths += ["/none", "/zh/none", "/pwa_icon/x", "/manifest.json", "/monitoring", "/monitoring/x", f"{API}/deep_link"]
    paths += [f"{API}/deep_link?session_hash=none", "/?deep_link=none", "/?deep_link=../../x", "/config?deep_link=x"]
    paths += [f"{API}/run-history/buckets", f"{API}/vibe-code", f"{API}/dev/reload", f"{API}/token", f"{API}/app_id"]
    paths += [
        "/%ff",
        "/%00",
        "/lab/%00",
        "/lab/" + "a" * 300,
        "/static/%00",
        f"{API}/static/%00",
        "/login",
        "/theme.css?v=x",
    ]
    for path in paths:
        yield Request(path[:60], path.replace("\\", "%5C"), method="GET")
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"):
        yield Request(f"{method} an endpoint", f"{API}/run/classify", b"{}", method=method)
        yield Request(f"{method} a page", "/", method=method)
    yield Request("a login", "/login", b"username=a&password=b", "application/x-www-form-urlencoded")
