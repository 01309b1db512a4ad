"""A small stand-in for the Hugging Face Hub on the loopback, for tests that must need neither network nor account.

It speaks the Hub's own protocol, as far as pushing and pulling a model uses it, and stores to disk. The real client
makes the round trip, run with HF_ENDPOINT=<the URL>, HF_HUB_DISABLE_XET=1 (no xet here) and HF_TOKEN=hf_write.
"""

import argparse
import base64
import contextlib
import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

import hub_extras
from hub_extras import Faults, HubError

TOKENS = {"hf_write": ("alice", "write"), "hf_read": ("alice", "read"), "hf_bob": ("bob", "write")}
LFS_SUFFIXES = (".safetensors", ".onnx", ".png")
GITATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES).encode()
LEGAL_NAME = re.compile(r"(?!.*(?:--|\.\.|\.git$))\w(?:[\w.-]{0,94}\w)?", re.ASCII)
NO_TOKEN, BAD_TOKEN = (401, "Invalid username or password."), (401, "Invalid credentials in Authorization header")
PIECE = 16 * 1024
PAYMENT = (
    "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic requires a PRO "
    "subscription"
)


class HubServer:
    """The repositories under one folder, and the server for them, which runs while this context manager is entered.

    A Space's id here begins with "spaces/".
    """

    def __init__(self, root: Path, port: int = 0) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.requests: list[str] = []  # all so far, as "METHOD /path"
        self.authorizations: list[str] = []  # every Authorization header that came
        self.server: ThreadingHTTPServer | None = None
        self.faults, self.lock = Faults(), threading.RLock()
        self.collections: dict[str, dict[str, Any]] = {}  # by slug
        self.root, self.blobs = Path(root), Path(root, "blobs")
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.repos = {repo["id"]: repo for repo in map(json.loads, map(Path.read_text, self.root.glob("*.json")))}

    def start(self) -> Self:
        """Serve from a daemon thread, after a stop() on the same port again."""
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Handler", (_Handler,), {"hub": self}))
        self.server.socket.listen(64)  # of itself it queues 5, and snapshot_download connects from more threads
        self.port, self.url = self.server.server_port, f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Be gone: connections are refused, and an answer that waits or drips breaks off."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    __enter__ = start

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def commits(self, repo_id: str) -> list[dict[str, Any]]:
        """The commits, oldest first, each with its sha, message, date and files {path: sha256 of the bytes}."""
        return [c | {"files": {p: f["sha256"] for p, f in c["files"].items()}} for c in self.repos[repo_id]["commits"]]

    def files(self, repo_id: str, revision: str = "main") -> dict[str, bytes]:
        """The files {path: bytes} at a revision: "main", a tag or the full sha of a commit."""
        files = self.commit_at(repo_id, revision)["files"].items()
        return {path: (self.blobs / file["sha256"]).read_bytes() for path, file in files}

    def commit_at(self, repo_id: str, revision: str) -> dict[str, Any]:
        revision = self.repos[repo_id]["tags"].get(revision, revision)
        for commit in reversed(self.repos[repo_id]["commits"]):
            if revision in ("main", commit["sha"]):
                return commit
        raise HubError(404, f"Invalid rev id: {quote(revision)}", "RevisionNotFound")

    def create(self, repo_id: str, private: bool) -> None:
        """Create a repository; as on the Hub it starts with a commit of a .gitattributes file."""
        with self.lock:
            if repo_id in self.repos:
                raise HubError(409, "You already created this model repo", url=f"{self.url}/{repo_id}")
            self.repos[repo_id] = {"id": repo_id, "private": private, "commits": [], "tags": {}}
            self._add_commit(repo_id, "initial commit", {".gitattributes": self.file(self.add_blob(GITATTRIBUTES))})

    def commit(self, repo_id: str, lines: list[dict[str, Any]]) -> str:
        """Apply the lines of a commit request to main, all or none, and return the new commit's sha."""
        with self.lock:
            head, message = self.commit_at(repo_id, "main"), ""
            files = dict(head["files"])
            for key, value in ((line["key"], line["value"]) for line in lines):
                if key == "header":
                    message = value["summary"]
                    if not head["sha"].startswith(value.get("parentCommit", "")):
                        raise HubError(412, "A commit has happened since. Please refresh and try again.")
                elif key == "file":
                    files[value["path"]] = self.file(self.add_blob(base64.b64decode(value["content"])))
                elif key == "lfsFile" and (self.blobs / value["oid"]).is_file():
                    files[value["path"]] = self.file(value["oid"], lfs=True)
                elif key != "deletedFile":
                    raise HubError(400, f"Not uploaded before this commit, or not a known operation: {key}")
                elif files.pop(value["path"], None) is None:
                    raise HubError(404, "A file with this name doesn't exist", "EntryNotFound")
            return self._add_commit(repo_id, message, files)

    def add_blob(self, data: bytes) -> str:
        path = self.blobs / hashlib.sha256(data).hexdigest()
        with self.lock:  # the same bytes may come twice at once
            if not path.is_file():
                path.write_bytes(data)
        return path.name

    def _add_commit(self, repo_id: str, message: str, files: dict[str, Any]) -> str:
        repo, files = self.repos[repo_id], dict(sorted(files.items()))
        sha = hashlib.sha1(json.dumps([repo, message, files]).encode()).hexdigest()
        date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        repo["commits"].append({"sha": sha, "message": message, "date": date, "files": files})
        (self.root / f"{repo_id.replace('/', '--')}.json").write_text(json.dumps(repo, indent=1))
        return sha

    def file(self, sha256: str, lfs: bool = False) -> dict[str, Any]:
        """What a commit says of a stored file. Git holds an LFS file as a pointer, so the blob id is the pointer's."""
        data = (self.blobs / sha256).read_bytes()
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n".encode()
        about_lfs = {"oid": sha256, "sha256": sha256, "size": len(data), "pointerSize": len(pointer)} if lfs else None
        in_git = pointer if lfs else data
        blob_id = hashlib.sha1(b"blob %d\0%b" % (len(in_git), in_git)).hexdigest()
        etag = sha256 if lfs else blob_id
        return {"sha256": sha256, "size": len(data), "blobId": blob_id, "etag": etag, "lfs": about_lfs}


class _Handler(BaseHTTPRequestHandler):
    """One request. It is HTTP/1.0, a connection for each, so that stop() leaves the client no connection to reuse."""

    hub: HubServer

    def log_message(self, *_: Any) -> None: ...  # `HubServer.requests` is the log

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.query = dict(parse_qsl(query))
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hub.requests.append(f"{self.command} {path}")
        self.hub.authorizations += self.headers.get_all("Authorization", [])
        time.sleep(self.hub.faults.delay)
        if self.hub.faults.down or self.hub.server is not self.server:
            return
        if self.hub.faults.page:
            return self.send(200, {"Content-Type": "text/html"}, b"<html><body>Please log in</body></html>")
        parts = [unquote(part) for part in path.split("/")[1:]]
        self.kind = "spaces/" if "spaces" in parts[:2] else ""
        if self.kind:  # from here on as a model's; only its id tells
            parts = ["api", "models", *parts[2:]] if parts[0] == "api" else parts[1:]
        try:
            for words, refusal in self.hub.faults.refuse.items():
                if re.search(words, f"{self.command} {path}"):
                    raise refusal
            answer = self.answer(parts)
            if answer is not None:
                self.send(200, {}, json.dumps(answer).encode())
        except HubError as error:
            self.send(error.status, error.headers, json.dumps(error.body).encode())

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def send(self, status: int, headers: dict[str, str], body: bytes, cut: int | None = None) -> None:
        with contextlib.suppress(ConnectionError):  # the client may give up before the answer is out
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            for start in range(0, 0 if self.command == "HEAD" else len(body[:cut]), PIECE):
                time.sleep(self.hub.faults.drip if start else 0)
                if self.hub.server is self.server:
                    self.wfile.write(body[:cut][start : start + PIECE])

    def answer(self, path: list[str]) -> dict[str, Any] | list[dict[str, Any]] | None:
        """What to send as JSON in answer to a request; None for a file, which this sends itself."""
        hub = self.hub
        if hub.faults.status is not None:
            raise HubError(hub.faults.status, "The test asked for this status")
        match [self.command, *path]:
            case ["GET", "api", "whoami-v2"]:
                name, role = self.user()
                return {"type": "user", "name": name, "orgs": [], "auth": {"accessToken": {"role": role}}}
            case ["POST", "api", "repos", "create"]:
                (user, role), wish = self.user(), json.loads(self.body)
                owner, name = wish.get("organization") or user, wish["name"]
                kinds = {"model": "", "space": "spaces/"}
                if wish.get("type", "model") not in kinds or not all(map(LEGAL_NAME.fullmatch, (owner, name))):
                    raise HubError(400, "Not a legal name for a repository")
                repo_id = f"{kinds[wish.get('type', 'model')]}{owner}/{name}"
                if (owner, "write") != (user, role):
                    raise HubError(403, f'You don\'t have the rights to create a model under the namespace "{owner}"')
                free = wish.get("type") == "space" and wish.get("hardware", "cpu-basic") == "cpu-basic"
                if free and hub.faults.paid and repo_id not in hub.repos:
                    raise HubError(402, PAYMENT)
                hub.create(repo_id, private=wish.get("private") or wish.get("visibility") == "private")
                hub.repos[repo_id] |= {key: wish[key] for key in ("sdk", "hardware") if key in wish}
                return {"url": f"{hub.url}/{repo_id}", "name": f"{owner}/{name}"}
            case ["POST", "api", "validate-yaml"]:
                wrong = hub_extras.mistakes(**json.loads(self.body))
                if wrong:
                    raise HubError(400, wrong[0], errors=[{"message": words} for words in wrong], warnings=[])
                return {"errors": [], "warnings": []}
            case [_, "api", "collections", *rest]:
                return hub_extras.collections(self, rest)
            case ["POST", "api", "models", owner, name, "preupload", "main"] if "create_pr" not in self.query:
                there = hub.commit_at(self.repo_id(owner, name, write=True), "main")["files"]
                files = json.loads(self.body)["files"]
                for file in files:
                    file["uploadMode"] = "lfs" if file["path"].endswith(LFS_SUFFIXES) else "regular"
                    file |= {"oid": there.get(file["path"], {}).get("etag"), "shouldIgnore": False}
                return {"files": files}
            case ["POST", owner, git, "info", "lfs", "objects", "batch"]:
                self.repo_id(owner, git.removesuffix(".git"), write=True)
                objects = json.loads(self.body)["objects"]
                for wanted in [wanted for wanted in objects if not (hub.blobs / wanted["oid"]).is_file()]:
                    upload = {"href": f"{hub.url}/lfs/{wanted['oid']}?size={wanted['size']}"}
                    verify = {"href": f"{hub.url}/{self.kind}{owner}/{git}/info/lfs/verify"}
                    wanted["actions"] = {"upload": upload, "verify": verify}
                return {"transfer": "basic", "objects": objects}
            case ["PUT", "lfs", oid]:  # no token comes here: at the Hub this is a signed address of its storage
                if oid != hashlib.sha256(self.body).hexdigest() or self.query.get("size") != str(len(self.body)):
                    raise HubError(422, "These bytes do not have the announced sha256 and size")
                return {"oid": hub.add_blob(self.body)}
            case ["POST", _, _, "info", "lfs", "verify"] if (hub.blobs / json.loads(self.body)["oid"]).is_file():
                return {}
            case ["POST", "api", "models", owner, name, "commit", "main"] if "create_pr" not in self.query:
                repo_id = self.repo_id(owner, name, write=True)
                if hub.faults.refuse_commit:
                    raise HubError(500, "Internal Error - We're working hard to fix this as soon as possible!")
                sha = hub.commit(repo_id, [json.loads(line) for line in self.body.splitlines()])
                return {"success": True, "commitOid": sha, "commitUrl": f"{hub.url}/{repo_id}/commit/{sha}"}
            case ["GET", "api", "models", owner, name] | ["GET", "api", "models", owner, name, "revision", _]:
                repo = hub.repos[self.repo_id(owner, name)]
                commit = hub.commit_at(repo["id"], path[5] if len(path) > 5 else "main")
                about = {"author": owner, "sha": commit["sha"], "lastModified": commit["date"], "tags": []}
                about |= {key: repo[key] for key in ("sdk",) if key in repo}
                if "hardware" in repo:
                    about["runtime"] = {"stage": "RUNNING", "hardware": {"requested": repo["hardware"]}}
                files = [{"rfilename": p} | (f if "blobs" in self.query else {}) for p, f in commit["files"].items()]
                return about | {"id": f"{owner}/{name}", "private": repo["private"], "siblings": files}
            case ["GET", "api", "models", owner, name, "auth-check", *write]:
                self.repo_id(owner, name, write=write == ["write"])
                return {}
            case ["GET", "api", "models", owner, name, "refs"]:
                return hub_extras.refs(hub.repos[self.repo_id(owner, name)])
            case ["POST" | "DELETE", "api", "models", owner, name, "tag", revision]:
                return hub_extras.tag(self, self.repo_id(owner, name, write=True), revision)
            case ["GET", "api", "models", owner, name, "tree", revision] if self.query.get("recursive") == "true":
                files = hub.commit_at(self.repo_id(owner, name), revision)["files"]
                return [{"type": "file", "path": p, "oid": file["blobId"]} | file for p, file in files.items()]
            case ["HEAD" | "GET", owner, name, "resolve", revision, *file]:
                return self.resolve(self.repo_id(owner, name), revision, "/".join(file))
            case [_, "api", "models", name] | [_, "api", "models", name, "revision", _] | [_, name, "resolve", *_]:
                self.repo_id("", name)  # a name without an owner may be asked for, but is never there
        raise HubError(404, "Sorry, we can't find the page you are looking for.")

    def json(self) -> Any:
        """What came with the request."""
        return json.loads(self.body)

    def user(self, required: bool = True) -> tuple[str, str]:
        """The name and the role that the token stands for; both empty if none came and none is required."""
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in TOKENS and (token or required):
            raise HubError(*(BAD_TOKEN if token else NO_TOKEN))
        return TOKENS.get(token, ("", ""))

    def repo_id(self, owner: str, name: str, write: bool = False) -> str:
        """The id of a repository, if whoever asks may read it or, on demand, write to it."""
        (user, role), repo_id = self.user(required=write), f"{self.kind}{owner}/{name}"
        if repo_id not in self.hub.repos or (self.hub.repos[repo_id]["private"] and user != owner):
            # The client takes any 401 from https for RepoNotFound, so the Hub's needs no code; one from http does.
            raise HubError(*((404, "Repository not found") if user else NO_TOKEN), "RepoNotFound")
        if write and user != owner:
            raise HubError(403, "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request")
        if write and role != "write":
            raise HubError(403, "Forbidden: you must use a write token to upload to a repository")
        return repo_id

    def resolve(self, repo_id: str, revision: str, path: str) -> None:
        """Send a file, or the range of it that was asked for, with what the faults do to it."""
        commit, faults = self.hub.commit_at(repo_id, revision), self.hub.faults
        if path not in commit["files"]:
            raise HubError(404, "Entry not found", "EntryNotFound")
        file = commit["files"][path]
        etag, size = f'"{file["etag"]}"', file["size"]
        headers = {"X-Repo-Commit": commit["sha"], "ETag": etag, "Accept-Ranges": "bytes"}
        headers |= {"X-Linked-ETag": etag, "X-Linked-Size": str(size)} if file["lfs"] else {}
        body = (self.hub.blobs / file["sha256"]).read_bytes()
        body = bytes(255 - byte for byte in body) if faults.lie else body
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, stop = (int(wanted[1]), min(size, int(wanted[2] or size) + 1)) if wanted else (0, size)
        if wanted and first >= stop:
            raise HubError(416, "Range not satisfiable")
        headers |= {"Content-Range": f"bytes {first}-{stop - 1}/{size}"} if wanted else {}
        cut = None if faults.cut is None else max(0, faults.cut - first)
        self.send(206 if wanted else 200, headers, body[first:stop], cut)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path, help="the folder that holds its repositories")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    with HubServer(**vars(parser.parse_args())) as hub, contextlib.suppress(KeyboardInterrupt):
        print(hub.url, flush=True)
        threading.Event().wait()
