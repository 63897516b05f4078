"""What goes over HTTP, without doing it: requests, errors in one shape, when to try again."""

from __future__ import annotations

import email.utils
import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from .errors import MochiError

#: What a request does when it arrives twice: nothing more (``safe``: asked again), join what was begun (``joins``: asked
#: again until our server itself has answered), the same once more (``once``: not asked again). ``never``: the caller
#: looks to it.
Repeated = Literal["safe", "joins", "once", "never"]
Link = Literal["live", "reconnecting", "polling", "offline"]


@dataclass(frozen=True)
class Retry:
    """Of a request that got no answer, and of a stream that breaks. Times are seconds."""

    tries: int = 5
    #: Before the second try; doubles with each, to 8 s at most.
    first_delay: float = 0.25
    #: How long a stream may fail without a break before it is given up.
    reconnect_for: float = 60.0
    #: How long a stream may be silent; the server sends something every 15 s.
    idle: float = 35.0


@dataclass(frozen=True)
class Options:
    base_url: str
    api_key: str | Callable[[], str | None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: ``auto``: streams; asks again and again where no stream comes through.
    transport: Literal["auto", "stream", "poll"] = "auto"
    retry: Retry = Retry()
    #: While an engine or its first model is fetched: wait as long as that takes. A function is told how far it is.
    wait_for_engine: bool | Callable[[MochiError], None] = False
    #: Asked once for each request that got 401; true: try again.
    on_unauthorized: Callable[[], bool] | None = None
    on_link: Callable[[Link], None] | None = None
    #: Events of a kind that this version does not know.
    on_unknown: Callable[[str, Any], None] | None = None


@dataclass(frozen=True)
class Exchange:
    method: str
    #: After ``/api/v1``.
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    #: Sent as JSON; a text as it is, with a ``content-type`` of its own.
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accept: Literal["json", "events", "any"] = "json"
    repeated: Repeated = "once"

    def url(self, options: Options) -> str:
        given = {name: _shown(value) for name, value in self.query.items() if value is not None}
        return f"{options.base_url}/api/v1{self.path}{'?' if given else ''}{urlencode(given)}"

    def all_headers(self, options: Options) -> dict[str, str]:
        key = options.api_key() if callable(options.api_key) else options.api_key
        content = {} if self.body is None else {"content-type": "application/json"}
        return {**content, **({"authorization": f"Bearer {key}"} if key else {}), **options.headers, **self.headers}

    def content(self) -> str | None:
        return self.body if self.body is None or isinstance(self.body, str) else json.dumps(self.body)


def segment(text: str) -> str:
    """One segment of a path."""
    return quote(text, safe="")


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_expected(exchange: Exchange, status: int, content_type: str) -> bool:
    if not 200 <= status < 300:
        return False
    wanted = {"json": "application/json", "events": "text/event-stream", "any": ""}[exchange.accept]
    return status == 204 or wanted in content_type


def to_error(url: str, status: int, headers: Mapping[str, str], text: str) -> MochiError:
    """Of an answer that is not what was asked for."""
    place: dict[str, Any] = {
        "status": status,
        "request_id": headers.get("x-request-id"),
        "retry_after": _wait(headers.get("retry-after")),
        "turn_id": headers.get("x-turn-id"),
    }
    try:
        told = json.loads(text)["detail"]["error"]
        return MochiError(told["code"], told["message"], details=told.get("details"), **place)
    except (ValueError, LookupError, TypeError):
        message = f"What answers at {url} is no mochi-server (status {status}): {text[:200]}"
        return MochiError("not_mochi", message, details={"text": text[:200]}, **place)


def _wait(header: str | None) -> float | None:
    """``retry-after`` in seconds: a number, or a date."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.isdigit() else email.utils.parsedate_to_datetime(header).timestamp() - time.time()
    except ValueError:
        return None
    return min(60.0, max(0.0, seconds))


def unreachable(options: Options, cause: object) -> MochiError:
    said = f" ({cause})" if str(cause) else ""
    return MochiError("unreachable", f"No answer from {options.base_url}{said}.")


def stalled(options: Options) -> MochiError:
    return MochiError("stalled", f"Nothing came for {options.retry.idle:g} s.")


class Tries:
    """Of one exchange: whether, and when, it is made once more."""

    def __init__(self, options: Options, exchange: Exchange) -> None:
        self._options = options
        self._repeated = exchange.repeated
        self._failures = 0
        self._waits = 0
        self._was_unauthorized = False

    def delay_after(self, error: MochiError) -> float | None:
        """Seconds; None: it is not made again."""
        options, retry = self._options, self._options.retry
        if error.status == 401 and options.on_unauthorized is not None and not self._was_unauthorized:
            self._was_unauthorized = True
            return 0.0 if options.on_unauthorized() else None
        if self._repeated == "never":
            return None
        if error.details.get("is_underway") is True and options.wait_for_engine:
            if callable(options.wait_for_engine):
                options.wait_for_engine(error)
            return 1.0 if error.retry_after is None else error.retry_after
        # A turn that has begun and failed would tell the same again.
        if error.status in (429, 503) and error.retry_after is not None and error.turn_id is None:
            self._waits += 1
            return None if self._waits > retry.tries else error.retry_after * (1 + random.random() / 5)
        if not self._is_worth_another(error):
            return None
        self._failures += 1
        tries = 3 if self._repeated == "safe" and error.status is not None else retry.tries
        return None if self._failures >= tries else backoff(self._failures, retry)

    def _is_worth_another(self, error: MochiError) -> bool:
        if self._repeated == "once":
            return False
        is_fault = error.status in (500, 502, 503, 504)
        # What a proxy says is no word of the turn.
        return error.code == "unreachable" or (is_fault and (self._repeated == "safe" or error.code == "not_mochi"))


def backoff(failures: int, retry: Retry) -> float:
    """Doubles, give or take a quarter: those who were cut at the same time do not come back at the same time."""
    delay: float = min(8.0, retry.first_delay * 2 ** (failures - 1))
    return delay * (0.75 + random.random() / 2)


class Health:
    """Of a stream: failures in a row, and how long they have been going on."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.failures = 0
        self._failing_since: float | None = None
        self._opened_at: float | None = None

    def tell(self, link: Link) -> None:
        if self._options.on_link is not None:
            self._options.on_link(link)

    def opened(self, polls: bool) -> None:
        self._opened_at = time.monotonic()
        self.tell("polling" if polls else "live")

    def good(self) -> None:
        self.failures = 0
        self._failing_since = None

    def lost(self, error: MochiError) -> float:
        """Seconds until it is opened again: the first time at once. Raises the error when it has been failing for too long."""
        now = time.monotonic()
        # A connection that has lived so long was a good one, although nothing came.
        if self._opened_at is not None and now - self._opened_at > 5:
            self.good()
        self._opened_at = None
        self.failures += 1
        self._failing_since = now if self._failing_since is None else self._failing_since
        if now - self._failing_since > self._options.retry.reconnect_for:
            raise error
        self.tell("offline" if self.failures > 1 else "reconnecting")
        delay = 0.0 if self.failures == 1 else backoff(self.failures - 1, self._options.retry)
        return max(delay, error.retry_after or 0.0)
