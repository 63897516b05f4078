"""The nouns of the server. ``_sync_client.py`` is made of it by ``make_sync.py``: change this one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx

from . import types as t
from ._async import AsyncConnection, AsyncListing, AsyncTurn, Leave
from .errors import MochiError
from .exchange import Exchange, Link, Options, Retry, segment
from .sse import Frame

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


class _Noun:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._get = connection.get
        self._json = connection.json

    async def _whole(self, path: str, body: Mapping[str, Any], key: str | None) -> t.ChatAnswer:
        asks = _asks(path, body, key)
        more = {"body": asks.body, "headers": asks.headers, "repeated": "joins"}
        return cast(t.ChatAnswer, await self._json("POST", path, **more))

    def _stream(self, path: str, body: Mapping[str, Any], key: str | None, leave: Leave) -> AsyncTurn:
        return AsyncTurn(self._connection, asks=_asks(path, body, key), leave=leave)


def _asks(path: str, body: Mapping[str, Any], key: str | None) -> Exchange:
    # The connection decides nothing: whoever wants the turn to stop says so.
    given = {**body, "on_disconnect": "continue"}
    return Exchange("POST", path, body=given, headers={"idempotency-key": key or uuid.uuid4().hex})


class AsyncSessions(_Noun):
    async def create(self, **settings: Unpack[t.CreateSession]) -> t.Session:
        return cast(t.Session, await self._json("POST", "/sessions", body=settings))

    def list(self, **query: Any) -> AsyncListing[t.ListSessionsAnswer, t.SessionListItem]:
        """The newest first. ``q``, ``limit``, ``cursor``, ``include_agents``."""
        return AsyncListing(self._connection, "/sessions", "sessions", query)

    async def get(self, id: str) -> t.SessionWithMessages:
        return cast(t.SessionWithMessages, await self._get(f"/sessions/{segment(id)}"))

    async def status(self, id: str) -> t.SessionStatus:
        return cast(t.SessionStatus, await self._get(f"/sessions/{segment(id)}/status"))

    async def update(self, id: str, **changes: Unpack[t.PatchSession]) -> t.Session:
        return cast(t.Session, await self._json("PATCH", f"/sessions/{segment(id)}", body=changes, repeated="safe"))

    async def delete(self, id: str) -> None:
        await self._json("DELETE", f"/sessions/{segment(id)}")

    async def fork(self, id: str, **body: Unpack[t.ForkInput]) -> t.Session:
        return cast(t.Session, await self._json("POST", f"/sessions/{segment(id)}/fork", body=body))

    async def set_head(self, id: str, **body: Any) -> t.SessionHead:
        """Shows another branch: ``message_id``, ``descend``."""
        return cast(t.SessionHead, await self._json("PUT", f"/sessions/{segment(id)}/head", body=body, repeated="safe"))

    async def export(self, id: str, format: Literal["json", "jsonl"] = "json", *, agents: bool | None = None) -> bytes:
        query = {"format": format, "agents": agents}
        exchange = Exchange("GET", f"/sessions/{segment(id)}/export", query, accept="any", repeated="safe")
        return (await self._connection.send(exchange)).content

    async def import_(self, file: str | Mapping[str, Any]) -> t.ImportAnswer:
        """What ``export`` gave, or a file of the original: a text with lines of JSON, or one JSON object."""
        is_lines = isinstance(file, str) and file.lstrip().startswith('{"type":')
        headers = {"content-type": "application/x-ndjson"} if is_lines else {}
        return cast(t.ImportAnswer, await self._json("POST", "/sessions/import", body=file, headers=headers))

    async def summary(self, id: str) -> t.LatestSummary:
        return cast(t.LatestSummary, await self._get(f"/sessions/{segment(id)}/summary"))

    async def summarize(self, id: str, **body: Any) -> t.WrittenSummary:
        return cast(t.WrittenSummary, await self._json("POST", f"/sessions/{segment(id)}/summarize", body=body))

    async def set_prompt(self, id: str, **prompt: Any) -> t.SystemPromptAnswer:
        path = f"/sessions/{segment(id)}/system-prompt"
        return cast(t.SystemPromptAnswer, await self._json("PUT", path, body=prompt, repeated="safe"))

    async def clear_prompt(self, id: str) -> None:
        await self._json("DELETE", f"/sessions/{segment(id)}/system-prompt")


class AsyncMessages(_Noun):
    def list(self, id: str, *, from_: int | None = None, **query: Any) -> AsyncListing[t.ListMessagesAnswer, t.Message]:
        """Of the path; ``from_``: a position, negative from the end. ``limit``, ``cursor``, ``images="omit"``."""
        return AsyncListing(self._connection, f"/sessions/{segment(id)}/messages", "messages", {**query, "from": from_})

    def tree(self, id: str, **query: Any) -> AsyncListing[t.GetTreeAnswer, t.TreeMessage]:
        """Those of other branches, too, in the order of their creation."""
        return AsyncListing(self._connection, f"/sessions/{segment(id)}/tree", "messages", query)

    async def siblings(self, id: str, message_id: str) -> t.ListSiblingsAnswer:
        path = f"/sessions/{segment(id)}/messages/{segment(message_id)}/siblings"
        return cast(t.ListSiblingsAnswer, await self._get(path))

    async def image(self, id: str, message_id: str, index: int) -> bytes:
        path = f"/sessions/{segment(id)}/messages/{segment(message_id)}/images/{index}"
        return (await self._connection.send(Exchange("GET", path, accept="any", repeated="safe"))).content

    async def edit(self, id: str, index: int, content: str) -> t.EditedMessage:
        path = f"/sessions/{segment(id)}/messages/{index}"
        return cast(t.EditedMessage, await self._json("PUT", path, body={"content": content}))


class AsyncChat(_Noun):
    async def send(self, id: str, *, key: str | None = None, **body: Unpack[t.ChatRequest]) -> t.ChatAnswer:
        """Waits for the answer. Raises MochiError what it failed with. ``key``: one for the idempotency of the request."""
        return await self._whole(f"/chat/{segment(id)}", cast(Any, body), key)

    def stream(
        self, id: str, *, key: str | None = None, leave: Leave = "cancel", **body: Unpack[t.ChatRequest]
    ) -> AsyncTurn:
        return self._stream(f"/chat/{segment(id)}/stream", cast(Any, body), key, leave)

    async def preview(self, id: str, **body: Unpack[t.ChatRequest]) -> t.ChatPreview:
        """The exact request to the engine; nothing is sent, and nothing stored."""
        path = f"/chat/{segment(id)}/preview"
        return cast(t.ChatPreview, await self._json("POST", path, body=body, repeated="safe"))

    async def cancel(self, id: str, *, wait: bool | None = None) -> t.Turn:
        """The turn that holds the session, whoever asked for it."""
        return cast(t.Turn, await self._json("POST", f"/chat/{segment(id)}/cancel", query={"wait": wait}))


class AsyncTurns(_Noun):
    async def get(self, id: str) -> t.Turn:
        return cast(t.Turn, await self._get(f"/turns/{segment(id)}"))

    def list(self, session_id: str, **query: Any) -> AsyncListing[t.ListTurnsAnswer, t.Turn]:
        return AsyncListing(self._connection, f"/sessions/{segment(session_id)}/turns", "turns", query)

    async def cancel(self, id: str, *, wait: bool | None = None) -> t.Turn:
        path = f"/turns/{segment(id)}/cancel"
        return cast(t.Turn, await self._json("POST", path, query={"wait": wait}, repeated="safe"))

    def watch(self, id: str, *, after: int = 0) -> AsyncTurn:
        """From the start, or after an event. Leaving it, by whatever way, does nothing to the turn."""
        return AsyncTurn(self._connection, turn_id=id, after=after if after > 0 else -1)

    async def stream_token(self, id: str) -> t.IssueStreamTokenAnswer:
        path = f"/turns/{segment(id)}/stream-token"
        return cast(t.IssueStreamTokenAnswer, await self._json("POST", path, repeated="safe"))


class AsyncModels(_Noun):
    async def list(self) -> t.ListModelsAnswer:
        return cast(t.ListModelsAnswer, await self._get("/models"))

    async def get(self, name: str) -> t.Model:
        return cast(t.Model, await self._get(_model(name)))

    async def loaded(self) -> t.ListLoadedModelsAnswer:
        """Those in the memory of the engine."""
        return cast(t.ListLoadedModelsAnswer, await self._get("/models/loaded"))

    async def delete(self, name: str) -> None:
        await self._json("DELETE", _model(name))

    async def pull(self, name: str, *, leave: Leave = "cancel") -> AsyncIterator[t.PullEvent]:
        """How far it is, again and again; ``done`` or ``error`` comes last."""
        body = {"model": name, "on_disconnect": leave}
        exchange = Exchange("POST", "/models/pull", body=body, accept="events", repeated="never")
        frames = self._connection.follow(lambda after, polls: self._connection.send(exchange), -1, _is_cut, False)
        async for frame in frames:
            if frame.event in ("progress", "done", "error"):
                yield cast(t.PullEvent, {"event": frame.event, "data": frame.data})
                if frame.event != "progress":
                    return


def _model(name: str) -> str:
    # Names have slashes, which are part of the path.
    return "/models/" + "/".join(segment(part) for part in name.split("/"))


def _is_cut(error: MochiError) -> bool:
    """The server has not said that it will not."""
    return error.code in ("unreachable", "stalled")


class AsyncPrompts(_Noun):
    async def list(self) -> t.ListPromptsAnswer:
        return cast(t.ListPromptsAnswer, await self._get("/system-prompts"))

    async def get(self, filename: str) -> t.Prompt:
        return cast(t.Prompt, await self._get(f"/system-prompts/{segment(filename)}"))

    async def create(self, **prompt: Any) -> t.Prompt:
        """``filename`` and ``content``. Raises MochiError ``prompt_exists``."""
        return cast(t.Prompt, await self._json("POST", "/system-prompts", body=prompt))

    async def update(self, filename: str, content: str) -> t.Prompt:
        path = f"/system-prompts/{segment(filename)}"
        return cast(t.Prompt, await self._json("PUT", path, body={"content": content}, repeated="safe"))

    async def save(self, filename: str, content: str) -> t.Prompt:
        """Writes it, whether it is there or not."""
        path = f"/system-prompts/{segment(filename)}"
        return cast(t.Prompt, await self._json("POST", path, body={"content": content}, repeated="safe"))

    async def delete(self, filename: str) -> None:
        await self._json("DELETE", f"/system-prompts/{segment(filename)}")


class AsyncTools(_Noun):
    async def list(self) -> t.ToolList:
        return cast(t.ToolList, await self._get("/tools"))

    async def get(self, name: str) -> t.ToolInfo:
        return cast(t.ToolInfo, await self._get(f"/tools/{segment(name)}"))

    async def reload(self) -> t.ToolsReloaded:
        return cast(t.ToolsReloaded, await self._json("POST", "/tools/reload", repeated="safe"))

    async def run(self, name: str, **body: Any) -> t.ToolRun:
        """By hand, without a model: ``arguments``."""
        return cast(t.ToolRun, await self._json("POST", f"/tools/{segment(name)}/run", body=body))

    def executions(self, **query: Any) -> AsyncListing[t.ExecutionPage, Any]:
        """Every run, the newest first. ``tool``, ``session_id``, ``state``, ``limit``, ``cursor``."""
        return AsyncListing(self._connection, "/tool-executions", "executions", query)

    async def execution(self, id: str) -> t.ExecutionWithLog:
        return cast(t.ExecutionWithLog, await self._get(f"/tool-executions/{segment(id)}"))

    async def output(self, id: str) -> str:
        path = f"/tool-executions/{segment(id)}/output"
        return (await self._connection.send(Exchange("GET", path, accept="any", repeated="safe"))).text

    async def stats(self) -> t.ToolStats:
        return cast(t.ToolStats, await self._get("/tool-stats"))

    async def servers(self) -> t.McpServerList:
        return cast(t.McpServerList, await self._get("/mcp/servers"))

    async def restart_server(self, name: str) -> t.McpServer:
        return cast(t.McpServer, await self._json("POST", f"/mcp/servers/{segment(name)}/restart"))


class AsyncApprovals(_Noun):
    def list(self, **query: Any) -> AsyncListing[t.ApprovalPage, t.Approval]:
        """``status`` (``pending``, ``all``), ``session_id``, ``turn_id``, ``limit``, ``cursor``."""
        return AsyncListing(self._connection, "/approvals", "approvals", query)

    async def get(self, id: str) -> t.Approval:
        return cast(t.Approval, await self._get(f"/approvals/{segment(id)}"))

    async def decide(self, id: str, **decision: Unpack[t.DecideInput]) -> t.Approval:
        """The first answer counts. Raises MochiError ``approval_decided`` with the one that did."""
        return cast(t.Approval, await self._json("POST", f"/approvals/{segment(id)}/decide", body=decision))

    async def decide_many(self, decisions: Sequence[Mapping[str, Any]]) -> t.ApprovalList:
        """All of them or none."""
        return cast(t.ApprovalList, await self._json("POST", "/approvals/decide", body={"decisions": decisions}))

    async def confirm_tool(self, session_id: str, **body: Any) -> t.ToolConfirmed:
        path = f"/chat/{segment(session_id)}/confirm-tool"
        return cast(t.ToolConfirmed, await self._json("POST", path, body=body))

    async def watch(self, *, after: int = -1) -> AsyncIterator[t.Approval]:
        """The pending ones, then every new and every changed one, without end."""

        async def open_(seen: int, polls: bool) -> httpx.Response:
            headers = {} if seen < 0 else {"last-event-id": str(seen)}
            exchange = Exchange("GET", "/approvals/stream", headers=headers, accept="events", repeated="never")
            return await self._connection.send(exchange)

        async for frame in self._connection.follow(open_, after, polls_=False):
            if frame.event == "approval":
                yield cast(t.Approval, frame.data)

    async def grants(self, **query: Any) -> t.GrantList:
        return cast(t.GrantList, await self._get("/tool-grants", **query))

    async def revoke(self, grant_id: str) -> None:
        await self._json("DELETE", f"/tool-grants/{segment(grant_id)}")


class AsyncAgents(_Noun):
    async def run(self, name: str, *, key: str | None = None, **body: Unpack[t.AgentRunRequest]) -> t.ChatAnswer:
        """Gives it an instruction and waits for its last words."""
        return await self._whole(f"/agents/agent/{segment(name)}/chat", cast(Any, body), key)

    def stream(
        self, name: str, *, key: str | None = None, leave: Leave = "cancel", **body: Unpack[t.AgentRunRequest]
    ) -> AsyncTurn:
        return self._stream(f"/agents/agent/{segment(name)}/chat/stream", cast(Any, body), key, leave)

    async def list(self) -> t.AgentList:
        """Those that cannot work, too, with the reason."""
        return cast(t.AgentList, await self._get("/agents"))

    async def get(self, name: str) -> t.AgentDetail:
        return cast(t.AgentDetail, await self._get(f"/agents/agent/{segment(name)}"))

    def chats(self, **query: Any) -> AsyncListing[t.AgentChatList, t.AgentChatItem]:
        """``agent``, ``session_id``, ``limit``, ``cursor``."""
        return AsyncListing(self._connection, "/agents/chats", "sessions", query)

    async def chat(self, session_id: str) -> t.AgentChat:
        return cast(t.AgentChat, await self._get(f"/agents/chats/{segment(session_id)}"))

    async def delete_chat(self, session_id: str) -> None:
        await self._json("DELETE", f"/agents/chats/{segment(session_id)}")

    async def reload(self) -> t.AgentsReloaded:
        return cast(t.AgentsReloaded, await self._json("POST", "/agents/reload", repeated="safe"))


class AsyncMochi:
    """Nothing is asked for before a method is called. Times are seconds."""

    def __init__(
        self,
        base_url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | Callable[[], str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        transport: Literal["auto", "stream", "poll"] = "auto",
        retry: Retry | None = None,
        wait_for_engine: bool | Callable[[MochiError], None] = False,
        on_unauthorized: Callable[[], bool] | None = None,
        on_link: Callable[[Link], None] | None = None,
        on_unknown: Callable[[str, Any], None] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        options = Options(
            base_url.rstrip("/"),
            api_key,
            headers or {},
            transport,
            retry or Retry(),
            wait_for_engine,
            on_unauthorized,
            on_link,
            on_unknown,
        )
        self._connection = connection = AsyncConnection(options, http)
        self.sessions = AsyncSessions(connection)
        self.messages = AsyncMessages(connection)
        self.chat = AsyncChat(connection)
        self.turns = AsyncTurns(connection)
        self.models = AsyncModels(connection)
        self.prompts = AsyncPrompts(connection)
        self.tools = AsyncTools(connection)
        self.approvals = AsyncApprovals(connection)
        self.agents = AsyncAgents(connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._connection.http.aclose()

    def search(self, q: str, **query: Any) -> AsyncListing[t.SearchAnswer, t.SearchResult]:
        """In titles and texts; every item is a hit."""
        return AsyncListing(self._connection, "/search", "results", {**query, "q": q})

    async def health(self) -> t.GetHealthAnswer:
        return cast(t.GetHealthAnswer, await self._connection.get("/health"))

    async def events(self, *, after: int = -1) -> AsyncIterator[t.ServerEvent]:
        """What happens on the server. ``hello`` comes with every connection; after ``reset`` lists must be read anew."""

        async def open_(seen: int, polls: bool) -> httpx.Response:
            query = {"after": None if seen < 0 else seen, "follow": False if polls else None}
            return await self._connection.send(Exchange("GET", "/events", query, accept="events", repeated="never"))

        async for frame in self._connection.follow(open_, after):
            if _is_known(frame):
                yield cast(t.ServerEvent, {"id": frame.id, "event": frame.event, "data": frame.data})

    async def request(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any route, by the same rules. The path comes after ``/api/v1``."""
        return await self._connection.json(
            method, path, body=body, query=query, repeated="safe" if method == "GET" else "once"
        )


def _is_known(frame: Frame) -> bool:
    return frame.id is not None and frame.event in t.SERVER_EVENT_NAMES
