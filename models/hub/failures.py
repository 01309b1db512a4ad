"""What can go wrong between us and the Hub: a type for each cause, whose text is the sentence that a user is told."""

import errno
import json

from httpx2 import ConnectError, HTTPError, ProxyError, UnsupportedProtocol
from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    BadRequestError,
    DisabledRepoError,
    EntryNotFoundError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
    XetDownloadError,
)
from huggingface_hub.utils import parse_ratelimit_headers

FAILURES = (HTTPError, OSError, ValueError, RuntimeError, XetDownloadError)  # what the client raises
POINTER = b"version https://git-lfs"  # how a file begins that Git LFS has not fetched
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


class HubError(ValueError):
    """One sentence, or two, on what went wrong and what to do. Holds no token."""


class IllegalName(HubError): ...


class NoFolder(HubError):
    """What has the form of a repository's name, and is more likely a folder's, mistyped."""


class NoRepository(HubError): ...


class GatedRepository(HubError): ...


class DisabledRepository(HubError): ...


class NoRevision(HubError): ...


class NoCheckpoint(HubError): ...


class NoToken(HubError): ...


class MayNotRead(HubError): ...


class MayNotWrite(HubError): ...


class StorageRefused(HubError):
    """A token that may write, and a Hub that takes no more."""


class PaymentRequired(HubError): ...


class RateLimited(HubError): ...


class Conflict(HubError):
    """Somebody else wrote there meanwhile."""


class MetadataRefused(HubError):
    """What was sent does not please the Hub, most often the head of a card."""


class NotTheHub(HubError):
    """Something between us and the Hub answers in its place."""


class CacheNotWritable(HubError): ...


class DiskFull(HubError): ...


class PointerFile(HubError):
    """What stands in the place of a file that was not fetched from Git LFS."""


class NotOffered(HubError):
    """A Hub, perhaps of another make, that does not have what was asked for."""


class SwitchedOff(HubError): ...


class Unreachable(HubError): ...


def understood(error: Exception, repo_id: str, *, writing: bool = False) -> HubError:
    """The cause of what the client raised, as a type.

    Args:
        error: any of `FAILURES`; what is a `HubError` already comes back as it is.
        repo_id: what was asked for, to be named.
        writing: whether it was asked to be written to.
    """
    if isinstance(error, HubError):
        return error
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return _refused(error, repo_id, writing)
    if isinstance(error, HFValidationError):
        return IllegalName(f"{repo_id!r} is no name for a Hub repository: it has the form NAMESPACE/NAME.")
    if isinstance(error, LocalTokenNotFoundError):
        return _no_token()
    if isinstance(error, OfflineModeIsEnabled):
        return SwitchedOff("The Hub is switched off by HF_HUB_OFFLINE: unset it to go online.")
    if isinstance(error, FileMetadataError | json.JSONDecodeError):
        return _not_the_hub()
    if isinstance(error, ProxyError):
        return NotTheHub(f"The proxy does not let through to the Hub at {constants.ENDPOINT}: check HTTPS_PROXY.")
    if isinstance(error, ConnectError | UnsupportedProtocol):  # the other of an HF_ENDPOINT that is no address
        return Unreachable(
            f"The Hub at {constants.ENDPOINT}, asked for {repo_id}, cannot be reached: check the network and "
            "HF_ENDPOINT, or try again later."
        )
    if isinstance(error, OSError) and not writing and error.errno in DISK_FULL:
        return DiskFull(
            f"There is no room for {repo_id} in the Hub cache {constants.HF_HUB_CACHE} ({error.strerror}): make some, "
            "or set HF_HOME to another disk."
        )
    if isinstance(error, OSError) and not writing and error.errno in NOT_WRITABLE:
        return CacheNotWritable(
            f"The Hub cache {constants.HF_HUB_CACHE} cannot be written ({error.strerror}): set HF_HOME to one that can."
        )
    if isinstance(error, ValueError) and isinstance(error.__cause__, BadRequestError):  # so it reports a bad card
        return bad_card(error.__cause__, repo_id)
    if isinstance(error.__cause__, FAILURES):  # what kept the client from asking for a file
        return understood(error.__cause__, repo_id, writing=writing)
    return Unreachable(
        f"The Hub at {constants.ENDPOINT} failed on {repo_id} ({type(error).__name__}): try again later."
    )


def explain(error: Exception, repo_id: str) -> str:
    """The sentence for what the client raised."""
    return str(understood(error, repo_id))


def _refused(error: HfHubHTTPError, repo_id: str, writing: bool) -> HubError:
    """What a status other than 2xx means."""
    status, headers = error.response.status_code, error.response.headers
    if isinstance(error, GatedRepoError):  # before those that are not found, of which it is one to the client
        return GatedRepository(
            f"The repository {repo_id} is gated: ask for access at {constants.ENDPOINT}/{repo_id}, and use a token "
            "of the account that has it."
        )
    if isinstance(error, RepositoryNotFoundError):  # before 401, by which the Hub also hides what is private
        hint = "check the name" if get_token() else "check the name, and set HF_TOKEN if it is private"
        return NoRepository(f"The Hub has no repository {repo_id} that this token can see: {hint}.")
    if isinstance(error, DisabledRepoError):
        return DisabledRepository(f"The Hub has switched off access to {repo_id}: its page there tells why.")
    if isinstance(error, RevisionNotFoundError):
        return NoRevision(f"The repository {repo_id} has no such revision: check the branch or commit.")
    if isinstance(error, EntryNotFoundError):
        return NoCheckpoint(
            f"The repository {repo_id} is no checkpoint: config.json or model.safetensors is not in it."
        )
    if status < 500 and "html" in headers.get("Content-Type", "") and not error.request_id:
        return _not_the_hub()
    if status == 401:
        return _no_token()
    if status == 402:
        return PaymentRequired(f"The Hub asks for a paid plan for {repo_id} (402){_told(error)}.")
    if status == 403 and writing:
        return MayNotWrite(f"The token may not write to {repo_id}: use a token with the write role for that namespace.")
    if status == 403:
        return MayNotRead(f"The Hub does not let this token read {repo_id}{_told(error)}.")
    if status == 400:
        return MetadataRefused(f"The Hub refuses what was sent to {repo_id}{_told(error)}.")
    if status in (404, 405, 501):
        return NotOffered(f"The Hub at {constants.ENDPOINT} does not offer what was asked for {repo_id} ({status}).")
    if status in (409, 412):
        return Conflict(f"Somebody else wrote to {repo_id} at the same time: look what is there, and try again.")
    if status == 429:
        limit = parse_ratelimit_headers(headers)
        seconds = headers.get("Retry-After") or (limit.reset_in_seconds if limit else None)
        when = f"in {seconds} seconds" if seconds else "in some minutes"
        return RateLimited(f"The Hub has had too many requests from here (429): try again {when}.")
    return Unreachable(
        f"The Hub at {constants.ENDPOINT} failed on {repo_id} ({type(error).__name__} {status}): try again later."
    )


def refusal(error: HfHubHTTPError, repo_id: str) -> HubError:
    """What a 403 means to somebody who may write there: the Hub's own words are all there is."""
    return StorageRefused(f"The Hub takes no more into {repo_id}{_told(error)}.")


def bad_card(error: BadRequestError, repo_id: str) -> HubError:
    """What a 400 means to somebody who asks about the head of a card."""
    return MetadataRefused(f"The Hub refuses the metadata of {repo_id}{_told(error)}.")


def _no_token() -> HubError:
    return NoToken("The Hub does not accept the token, or there is none: set HF_TOKEN or run `hf auth login`.")


def _not_the_hub() -> HubError:
    return NotTheHub(
        f"What answers at {constants.ENDPOINT} is not the Hub, perhaps a proxy's page: check HTTPS_PROXY and "
        "HF_ENDPOINT."
    )


def _told(error: HfHubHTTPError) -> str:
    """The Hub's own words, in one line."""
    words = " ".join((error.server_message or "").split()).rstrip(".")
    return f": {words[:300]}" if words else ""
