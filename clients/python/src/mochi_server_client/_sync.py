"""The client that waits. Made of ``_async.py`` by ``make_sync.py``: change that one."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import httpx

from . import types as t
from .errors import MochiError, is_lost, told_error
from .exchange import Exchange, Health, Options, Tries, is_expected, stalled, to_error, unreachable
from .fold import EMPTY_TURN, TurnView, fold_turn
from .sse import Frame, SseDecoder

if TYPE_CHECKING:
    from typing_extensions import Self

Page = TypeVar("Page", bound=Mapping[str, Any])
Item = TypeVar("Item")
Leave = Literal["cancel", "continue"]


class Connection:
    """One server over httpx: the only part that knows it."""

    def __init__(self, options: Options, http: httpx.Client | None) -> None:
        self.options = options
        self.http = http or httpx.Client(follow_redirects=False)

    def send(self, exchange: Exchange) -> httpx.Response:
        """Read whole, but for events. Raises MochiError."""
        tries = Tries(self.options, exchange)
        while True:
            try:
                return self._once(exchange)
            except MochiError as error:
                delay = tries.delay_after(error)
                if delay is None:
                    raise
                time.sleep(delay)

    def _once(self, exchange: Exchange) -> httpx.Response:
        streams = exchange.accept == "events"
        timeout = httpx.Timeout(None, connect=10.0, read=self.options.retry.idle if streams else None)
        url = exchange.url(self.options)
        request = self.http.build_request(
            exchange.method,
            url,
            content=exchange.content(),
            headers=exchange.all_headers(self.options),
            timeout=timeout,
        )
        try:
            response = self.http.send(request, stream=True)
            is_fine = is_expected(exchange, response.status_code, response.headers.get("content-type", ""))
            if not (streams and is_fine):
                response.read()
        except httpx.ReadTimeout as cause:
            raise stalled(self.options) from cause
        except httpx.TransportError as cause:
            raise unreachable(self.options, cause) from cause
        if not is_fine:
            raise to_error(url, response.status_code, response.headers, response.text)
        return response

    def json(self, method: str, path: str, **more: Any) -> Any:
        response = self.send(Exchange(method, path, **more))
        return None if response.status_code == 204 else response.json()

    def get(self, path: str, **query: Any) -> Any:
        return self.json("GET", path, query=query, repeated="safe")

    def follow(
        self,
        open_: Callable[[int, bool], httpx.Response],
        after: int = -1,
        lost: Callable[[MochiError], bool] = is_lost,
        polls_: bool | None = None,
    ) -> Iterator[Frame]:
        """A stream that outlives its connections: what breaks is opened again after the last event that was seen."""
        health = Health(self.options)
        polls = self.options.transport == "poll" if polls_ is None else polls_
        quiet = 0
        while True:
            error: MochiError | None = None
            response: httpx.Response | None = None
            has_bytes = False
            try:
                response = open_(after, polls)
                if response.status_code == 204:
                    return
                health.opened(polls)
                decoder = SseDecoder()
                for chunk in response.iter_bytes():
                    has_bytes = True
                    health.good()
                    for frame in decoder.feed(chunk):
                        quiet = 0
                        after = max(after, -1 if frame.id is None else frame.id)
                        yield frame
            except httpx.ReadTimeout:
                error = stalled(self.options)
            except (httpx.TransportError, httpx.StreamError) as cause:
                error = unreachable(self.options, cause)
            except MochiError as told:
                error = told
            finally:
                if response is not None:
                    response.close()
            if error is not None and not lost(error):
                raise error
            # Something on the way holds streams back.
            if error is not None and error.code == "stalled" and not has_bytes and self.options.transport == "auto":
                polls = True
            if polls and error is None:
                quiet += 1
                time.sleep(min(3.0, 0.5 * quiet))
                continue
            time.sleep(health.lost(error or unreachable(self.options, "the stream ended")))


class Listing(Generic[Page, Item]):
    """A list that comes in pages: iterate it for all items, ``pages()`` for pages, or take the first ``page()``."""

    def __init__(self, connection: Connection, path: str, key: str, query: Mapping[str, Any]) -> None:
        self._connection = connection
        self._path = path
        self._key = key
        self._query = query

    def page(self, cursor: str | None = None) -> Page:
        query = {**self._query, **({} if cursor is None else {"cursor": cursor})}
        return cast(Page, self._connection.get(self._path, **query))

    def pages(self) -> Iterator[Page]:
        cursor: str | None = None
        while True:
            page = self.page(cursor)
            yield page
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            for item in page[self._key]:
                yield item


class Turn:
    """A turn as its reader has it, who is the only one. Leaving the ``with`` block, or the loop, before the end cancels
    it, unless ``leave="continue"`` was said; a network that fails decides nothing."""

    def __init__(
        self,
        connection: Connection,
        *,
        turn_id: str | None = None,
        asks: Exchange | None = None,
        after: int = -1,
        leave: Leave = "continue",
    ) -> None:
        self._connection = connection
        self._asks = asks
        self._turn_id = turn_id
        self._after = after
        self._leave = leave
        self._posted: httpx.Response | None = None
        # Not held: a loop that is broken off lets go of it, which ends it.
        self._reading: weakref.ref[Iterator[t.TurnEvent]] | None = None
        self._has_ended = False

    def id(self) -> str:
        """Asks for the turn, if that was not done."""
        if self._turn_id is None:
            self._posted = self._post(False)
        return cast(str, self._turn_id)

    def __iter__(self) -> Iterator[t.TurnEvent]:
        """Every event once, in order."""
        if self._reading is not None:
            raise RuntimeError("A turn has one reader: watch it again with turns.watch(id).")
        events = self._events()
        self._reading = weakref.ref(events)
        return events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Reads no more: what that does to the turn was said when it was begun."""
        reading = None if self._reading is None else self._reading()
        if reading is not None:
            cast(Any, reading).close()
        self._stop()

    def leave(self) -> None:
        """Watches no more; the turn goes on."""
        self._has_ended = True

    def cancel(self, *, wait: bool = False) -> t.Turn:
        """The model stops, and the part is kept. ``wait``: answers when it has stopped."""
        path = f"/turns/{self.id()}/cancel"
        query = {"wait": True} if wait else {}
        return cast(t.Turn, self._connection.json("POST", path, query=query, repeated="safe"))

    def text(self) -> Iterator[str]:
        """The text as it comes. Raises MochiError what the turn failed with."""
        message_id: str | None = None
        said = ""
        failure: MochiError | None = None
        for event in self:
            match event["event"]:
                case "status" if "message_id" in event["data"]:
                    message_id, said = event["data"]["message_id"], ""
                case "content_delta":
                    said += event["data"]["content"]
                    yield event["data"]["content"]
                case "snapshot" if event["data"]["message"] is not None:
                    message = event["data"]["message"]
                    # A message that began in what is gone: all of it is new.
                    known = said if message_id in (None, message["message_id"]) else ""
                    if not message["content"].startswith(known):
                        self.leave()
                        raise MochiError("text_replaced", "The text that was read is not the beginning of the answer any more.")
                    message_id, said = message["message_id"], message["content"]
                    if said[len(known) :]:
                        yield said[len(known) :]
                case "error":
                    failure = told_error(event["data"], self._turn_id)
        if failure is not None:
            raise failure

    def views(self) -> Iterator[TurnView]:
        """What there is to show, after each event."""
        view = EMPTY_TURN
        for event in self:
            view = fold_turn(view, event)
            yield view

    def answer(self) -> t.ChatAnswer:
        """Reads to the end. Raises MochiError what the turn failed with."""
        view = EMPTY_TURN
        complete: Any = None
        for event in self:
            view = fold_turn(view, event)
            if event["event"] == "message_complete":
                complete = event["data"]
        if complete is not None:
            calls = [call for call in view.tool_calls if call.success is not None]
            answer = {
                "session_id": view.session_id,
                "message": complete["message"],
                "tool_calls_executed": [
                    {"name": call.name, "arguments": call.arguments, "success": call.success} for call in calls
                ],
                "context_window": complete["context_window"],
                "turn_id": view.turn_id,
                "context": complete["context"],
            }
            return cast(t.ChatAnswer, answer)
        if view.error is not None:
            raise told_error(view.error, view.turn_id)
        # It had succeeded before what was seen of it.
        if view.message_id is None and view.turn_id is not None and view.state == "completed":
            return Turn(self._connection, turn_id=view.turn_id).answer()
        raise MochiError("no_answer", f"The turn ended without an answer ({view.state}).", turn_id=view.turn_id)

    def _events(self) -> Iterator[t.TurnEvent]:
        last = self._after
        frames = self._connection.follow(self._open, last, self._is_lost)
        try:
            for frame in frames:
                if frame.id is None or frame.id <= last:
                    continue
                last = frame.id
                if frame.event not in t.TURN_EVENT_NAMES:
                    _tell_unknown(self._connection, frame)
                    continue
                if frame.event in ("turn_start", "snapshot"):
                    self._turn_id = frame.data["turn_id"] if frame.event == "turn_start" else frame.data["turn"]["turn_id"]
                self._has_ended = self._has_ended or frame.event == "done"
                yield cast(t.TurnEvent, {"id": frame.id, "event": frame.event, "data": frame.data})
                if self._has_ended:
                    return
            # Every event was seen, `done` too, by whoever asks after one of them.
            turn = self._connection.get(f"/turns/{self.id()}")
            self._has_ended = True
            data = {key: turn[key] for key in ("session_id", "turn_id", "state")}
            yield cast(t.TurnEvent, {"id": turn["last_event_id"], "event": "done", "data": data})
        except MochiError:
            self._has_ended = True
            raise
        finally:
            cast(Any, frames).close()
            self._stop()

    def _stop(self) -> None:
        if self._posted is not None:
            self._posted.close()
            self._posted = None
        if self._has_ended or self._turn_id is None:
            return
        self._has_ended = True
        if self._leave == "cancel":
            try:
                self.cancel()
            except MochiError:
                # Nobody asked how it went.
                pass

    def _open(self, after: int, polls: bool) -> httpx.Response:
        if self._posted is not None:
            posted, self._posted = self._posted, None
            return posted
        if self._turn_id is None:
            return self._post(polls)
        query = {"after": after if after > 0 else None, "follow": False if polls else None}
        path = f"/turns/{self._turn_id}/stream"
        return self._connection.send(Exchange("GET", path, query, accept="events", repeated="never"))

    def _post(self, polls: bool) -> httpx.Response:
        asks = cast(Exchange, self._asks)
        query = {"follow": False if polls else None}
        exchange = Exchange(asks.method, asks.path, query, asks.body, asks.headers, "events", "joins")
        response = self._connection.send(exchange)
        self._turn_id = response.headers.get("x-turn-id")
        return response

    def _is_lost(self, error: MochiError) -> bool:
        # A request that got no answer in all its tries is not made for a minute more.
        return error.code == "stalled" if self._turn_id is None else is_lost(error)


def _tell_unknown(connection: Connection, frame: Frame) -> None:
    if connection.options.on_unknown is not None:
        connection.options.on_unknown(frame.event, frame.data)
