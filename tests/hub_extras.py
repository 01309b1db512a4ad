"""What the stand-in for the Hub has beside files and commits: faults, tags, collections, a look at a card's head."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from hub_server import _Handler

COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
NOTE_DATE = "2026-01-01T00:00:00.000Z"


@dataclass
class Faults:
    """What goes wrong at present. A test may change it while the server runs."""

    down: bool = False  # close the connection instead of answering
    delay: float = 0.0  # seconds before any answer starts
    cut: int | None = None  # a resolve GET never sends the file from this byte on, so resuming does not help
    drip: float = 0.0  # seconds between two 16 KiB pieces of a resolve GET
    lie: bool = False  # a resolve GET sends as many bytes as it should, but other ones
    status: int | None = None  # answer every request with this status
    refuse_commit: bool = False  # answer a commit with 500
    page: bool = False  # answer with a web page, as a proxy does that wants a login
    paid: bool = False  # a Space on free hardware is refused with 402
    refuse: dict[str, "HubError"] = field(default_factory=dict)  # words of "METHOD /path" -> the answer to it


class HubError(Exception):
    """A refusal: a status, a message and, where the client tells errors apart by one, an error code."""

    def __init__(self, status: int, message: str, code: str = "", headers: dict | None = None, **body: Any) -> None:
        self.status, self.body = status, {"error": message} | body
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {}) | (headers or {})


def refs(repo: dict[str, Any]) -> dict[str, Any]:
    """The branch and the tags of a repository."""
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo["commits"][-1]["sha"]}
    tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": sha} for name, sha in repo["tags"].items()]
    return {"branches": [main], "converts": [], "tags": tags}


def tag(request: "_Handler", repo_id: str, revision: str) -> dict[str, Any]:
    """Make a tag at a revision, or take away the one that the address names."""
    tags = request.hub.repos[repo_id]["tags"]
    if request.command == "DELETE":
        if tags.pop(revision, None) is None:
            raise HubError(404, "There is no such tag")
        return {}
    name = request.json()["tag"]
    if name in tags:
        raise HubError(409, "Tag reference exists already")
    tags[name] = request.hub.commit_at(repo_id, revision)["sha"]
    return {}


def collections(request: "_Handler", path: list[str]) -> Any:
    """List, make and show collections, and add to one."""
    there = request.hub.collections
    match [request.command, *path]:
        case ["GET"]:
            found = [one for one in there.values() if request.query.get("owner") in (None, one["owner"]["name"])]
            return [{key: value for key, value in one.items() if key != "position"} for one in found]
        case ["POST"]:
            (user, role), wish = request.user(), request.json()
            if (user, role) != (wish["namespace"], "write"):
                raise HubError(403, "You may not make a collection here")
            code = hashlib.sha1(wish["title"].encode()).hexdigest()[:24]
            slug = f"{user}/{wish['title'].lower().replace(' ', '-')}-{code}"
            if len(wish.get("description", "")) > 150:
                raise HubError(400, "A description has at most 150 characters")
            there[slug] = {"slug": slug, "title": wish["title"], "owner": {"name": user}, "items": [], "position": 0}
            there[slug] |= {"lastUpdated": NOTE_DATE, "private": wish["private"], "theme": "orange", "upvotes": 0}
            return there[slug]
        case ["GET", owner, name] if f"{owner}/{name}" in there:
            return there[f"{owner}/{name}"]
        case ["POST", owner, name, "items"] if f"{owner}/{name}" in there:
            if request.user() != (owner, "write"):
                raise HubError(403, "You may not add to this collection")
            one, item = there[f"{owner}/{name}"], request.json()["item"]
            prefix = "spaces/" if item["type"] == "space" else ""
            if prefix + item["id"] not in request.hub.repos:
                raise HubError(404, "There is no such repository")
            if item["id"] in [known["id"] for known in one["items"] if known["type"] == item["type"]]:
                raise HubError(409, "It is in the collection already")
            one["items"].append({"_id": f"{len(one['items']):024x}", **item, "position": len(one["items"])})
            return one
    raise HubError(404, "There is no such collection")


def mistakes(content: str, repoType: str = "model", **_: Any) -> list[str]:
    """What the Hub would not take in the head of a README, as far as its reference tells."""
    try:
        head = yaml.safe_load(content.split("---\n")[1]) if content.startswith("---\n") else {}
    except (yaml.YAMLError, IndexError) as error:
        return [f"The head is no YAML: {type(error).__name__}"]
    if not isinstance(head, dict):
        return ["The head must be an object"]
    found = [
        f'"{key}" must be a list' for key in ("tags", "datasets", "models") if not isinstance(head.get(key, []), list)
    ]
    words = ("license", "title", "emoji", "sdk", "short_description", "thumbnail", "pipeline_tag")
    found += [f'"{key}" must be a string' for key in words if not isinstance(head.get(key, ""), str)]
    if not str(head.get("thumbnail", "http")).startswith("http"):
        found.append('"thumbnail" must be a valid URL')
    if repoType == "space":
        if len(head.get("short_description", "")) > 60:
            found.append('"short_description" length must be less than or equal to 60 characters long')
        found += [
            f'"{key}" must be one of {COLOURS}' for key in ("colorFrom", "colorTo") if head.get(key) not in COLOURS
        ]
        if head.get("sdk") not in ("gradio", "docker", "static"):
            found.append('"sdk" is not allowed to be empty')
    return found
