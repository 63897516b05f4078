"""The events of a turn folded into what a person is shown of it. Pure: any cutting of the stream gives the same view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

Data = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class AgentStep:
    #: ``plan``, ``text`` or ``call``.
    kind: str
    message_id: str | None = None
    content: str = ""
    call: ToolView | None = None


@dataclass(frozen=True)
class AgentView:
    """What an agent does for a call of ``agent``. A snapshot does not tell it."""

    name: str
    session_id: str
    turn_id: str
    model: str | None = None
    phase: str | None = None
    round: int = 0
    max_rounds: int | None = None
    engine: str | None = None
    steps: tuple[AgentStep, ...] = ()
    #: How it ended; None: it works.
    reason: str | None = None


@dataclass(frozen=True)
class ToolView:
    tool_call_id: str
    #: Position inside of its message, from 0.
    call_index: int
    name: str
    arguments: Data
    #: None while there is no result.
    success: bool | None = None
    #: What it answered, or why it could not.
    result: str | None = None
    #: While it runs: ``message``, ``progress``, ``total``.
    progress: Data | None = None
    agent: AgentView | None = None


@dataclass(frozen=True)
class TurnView:
    turn_id: str | None = None
    session_id: str | None = None
    state: str = "running"
    #: What the turn is at, unknown ones included; None: not told, or ended.
    phase: str | None = None
    #: Turns ahead, in phase ``queued``.
    position: int | None = None
    estimate_ms: float | None = None
    model: str | None = None
    #: The message that is being written, or was written last; ``content`` and ``thinking`` are its.
    message_id: str | None = None
    content: str = ""
    thinking: str = ""
    #: Of the whole turn, in their order.
    tool_calls: tuple[ToolView, ...] = ()
    #: What a person has to decide before it goes on.
    approvals: tuple[Data, ...] = ()
    context: Data | None = None
    usage: Data | None = None
    error: Data | None = None
    #: The whole final message: there is one when the turn succeeded.
    message: Data | None = None
    #: -1: nothing was seen.
    last_event_id: int = -1


EMPTY_TURN = TurnView()


def fold_turn(view: TurnView, event: Data) -> TurnView:
    """The view after the event; one that was seen, or is not known, changes nothing."""
    if event["id"] <= view.last_event_id:
        return view
    return replace(_fold(view, event["event"], event["data"]), last_event_id=event["id"])


def _fold(view: TurnView, name: str, data: Data) -> TurnView:
    if name.startswith("agent_"):
        return _fold_agent_event(view, name, data)
    match name:
        case "turn_start":
            return replace(view, turn_id=data["turn_id"], session_id=data["session_id"])
        case "status":
            return _fold_status(view, data)
        case "context":
            return replace(view, context=data)
        case "thinking_delta":
            return replace(view, thinking=view.thinking + data["content"])
        case "content_delta":
            return replace(view, content=view.content + data["content"])
        case "tool_call":
            return _open_call(view, data)
        case "tool_call_confirmation_required":
            if data.get("kind") == "plan":
                return view
            return _open_agent_step(view, data) if _is_nested(view, data) else _open_call(view, data)
        case "tool_progress":
            return _change_call(view, data, progress={key: data[key] for key in ("message", "progress", "total")})
        case "tool_result":
            return _fold_result(view, data)
        case "tool_continuation_start":
            return replace(view, approvals=())
        case "message_complete":
            return replace(view, **_text(data["message"]), message=data["message"], context=data["context"])
        case "snapshot":
            return _fold_snapshot(view, data)
        case "error":
            return replace(view, error=data, approvals=())
        case "done":
            ended = {key: data[key] for key in ("turn_id", "session_id", "state")}
            return replace(view, phase=None, position=None, estimate_ms=None, **ended)
        case _:
            return view


def _fold_status(view: TurnView, data: Data) -> TurnView:
    phase = data["phase"]
    told = replace(view, phase=phase, position=data.get("position"), estimate_ms=data.get("estimate_ms"))
    if phase == "waiting_for_approval":
        return replace(told, state="waiting", approvals=tuple(data.get("approvals", ())))
    # In the line of a model it has begun; in that for a slot after an approval, too.
    has_not_begun = "model" not in data and view.state != "waiting"
    state = "running" if phase != "queued" else "queued" if has_not_begun else view.state
    open_ones = tuple(one for one in view.approvals if not _is_decided(view, one))
    told = replace(told, state=state, approvals=open_ones)
    if "message_id" not in data:
        return told
    return replace(told, message_id=data["message_id"], model=data.get("model"), content="", thinking="")


def _is_decided(view: TurnView, approval: Data) -> bool:
    return approval["kind"] == "plan" or _is_nested(view, approval) or _find_open(view.tool_calls, approval) is not None


def _is_nested(view: TurnView, asked: Data) -> bool:
    """Asked by an agent that this turn started."""
    return asked.get("agent_session_id") not in (None, view.session_id)


def _fold_snapshot(view: TurnView, data: Data) -> TurnView:
    """It does not tell the phase, which is what the rest implies."""
    turn, message, calls = data["turn"], data["message"], data["tool_calls"]
    is_writing = message is not None and message["status"] == "streaming"
    phase = "generating" if is_writing else None
    if any(call["success"] is None for call in calls):
        phase = "running_tool"
    if turn["state"] == "queued":
        phase = "queued"
    told = {key: turn[key] for key in ("turn_id", "session_id", "state", "context", "error", "usage")}
    shown = tuple(replace(_tool_view(call), success=call["success"], result=call["result"]) for call in calls)
    text = {"message_id": None, "model": None, "content": "", "thinking": ""} if message is None else _text(message)
    return replace(
        view,
        phase=phase,
        position=None,
        estimate_ms=None,
        tool_calls=shown,
        approvals=tuple(data["approvals"]),
        message=_final(message),
        **told,
        **text,
    )


def _final(message: Data | None) -> Data | None:
    """Complete, and not for the sake of tools: the answer itself."""
    if message is None or message["status"] != "complete" or message["finish_reason"] == "tool_calls":
        return None
    return {key: value for key, value in message.items() if key != "status"}


def _text(message: Data) -> dict[str, Any]:
    told = {key: message[key] for key in ("message_id", "model", "content")}
    return {**told, "thinking": message["thinking"] or ""}


def _tool_view(call: Data) -> ToolView:
    return ToolView(call["tool_call_id"], call["call_index"], call["tool_name"], call["arguments"])


def _open_call(view: TurnView, call: Data) -> TurnView:
    """What was asked about first is there already."""
    if _find_open(view.tool_calls, call) is None:
        return replace(view, tool_calls=(*view.tool_calls, _tool_view(call)))
    return _change_call(view, call, arguments=call["arguments"])


def _fold_result(view: TurnView, data: Data) -> TurnView:
    # What was decided before its turn came, and did not run, is told by its result alone.
    opened = _open_call(view, data) if "arguments" in data else view
    changed = _change_call(opened, data, success=data["success"], result=_result(data), progress=None)
    return replace(changed, approvals=tuple(one for one in view.approvals if not _is_same(one, data)))


def _result(data: Data) -> str | None:
    error: str | None = data.get("error")
    return data["result"] if error is None else error


def _change_call(view: TurnView, call: Data, **change: Any) -> TurnView:
    at = _find_open(view.tool_calls, call)
    if at is None:
        return view
    return replace(view, tool_calls=_put(view.tool_calls, at, replace(view.tool_calls[at], **change)))


def _find_open(calls: tuple[ToolView | None, ...], told: Data) -> int | None:
    """Engines number the calls of each round anew: of several it is the newest."""
    for at in reversed(range(len(calls))):
        call = calls[at]
        if call is None or call.success is not None:
            continue
        if (call.tool_call_id, call.call_index) == (told["tool_call_id"], told["call_index"]):
            return at
    return None


def _is_same(one: Data, other: Data) -> bool:
    return (one["tool_call_id"], one["call_index"]) == (other["tool_call_id"], other["call_index"])


def _put(items: tuple[T, ...], at: int, item: T) -> tuple[T, ...]:
    return (*items[:at], item, *items[at + 1 :])


def _fold_agent_event(view: TurnView, name: str, data: Data) -> TurnView:
    """A run that no call started is the turn itself: it is told by its other events."""
    call_id = data["agent_call_id"]
    if call_id is None or data["agent_call_index"] is None:
        return view
    if name == "agent_start" and all(call.tool_call_id != call_id for call in view.tool_calls):
        args = {"agent": data["agent_name"], "instruction": data["instruction"]}
        if data["continued"]:
            args["session_id"] = data["session_id"]
        call = ToolView(call_id, data["agent_call_index"], "agent", args)
        view = replace(view, tool_calls=(*view.tool_calls, call))
    at = next((at for at in reversed(range(len(view.tool_calls))) if view.tool_calls[at].tool_call_id == call_id), None)
    if at is None:
        return view
    known = view.tool_calls[at]
    fresh = AgentView(data["agent_name"], data["session_id"], data["turn_id"])
    changed = replace(known, agent=_fold_agent(known.agent or fresh, fresh, name, data))
    if name == "agent_complete":
        changed = replace(changed, success=data["success"], result=data["output"])
    approvals = view.approvals
    if name == "agent_tool_result":
        approvals = tuple(
            one
            for one in approvals
            if one.get("agent_session_id") != data["session_id"] or not _is_same(one, data)
        )
    return replace(view, tool_calls=_put(view.tool_calls, at, changed), approvals=approvals)


def _open_agent_step(view: TurnView, asked: Data) -> TurnView:
    """The agent asks about a call before it is made."""
    for at in reversed(range(len(view.tool_calls))):
        call = view.tool_calls[at]
        agent = call.agent
        if call.success is None and agent is not None and agent.session_id == asked["agent_session_id"]:
            changed = replace(call, agent=_open_step(agent, asked))
            return replace(view, tool_calls=_put(view.tool_calls, at, changed))
    return view


def _fold_agent(agent: AgentView, fresh: AgentView, name: str, data: Data) -> AgentView:
    match name:
        case "agent_start":
            return replace(fresh, model=data["model"])
        case "agent_status":
            told = {key: data[key] for key in ("phase", "round", "max_rounds", "engine")}
            return replace(agent, **told)
        case "agent_planning":
            return _add_text(agent, "plan", data)
        case "agent_execution":
            return _add_text(agent, "text", data)
        case "agent_tool_call":
            return _open_step(agent, data)
        case "agent_tool_result":
            return _close_step(agent, data)
        case "agent_complete":
            return replace(agent, phase=None, engine=None, reason=data["reason"])
        case _:
            return agent


def _add_text(agent: AgentView, kind: str, data: Data) -> AgentView:
    """Pieces of one message are one text."""
    message_id, content = data["message_id"], data["content"]
    last = agent.steps[-1] if agent.steps else None
    if last is None or last.kind == "call" or last.message_id != message_id:
        return replace(agent, steps=(*agent.steps, AgentStep(kind, message_id, content)))
    return replace(agent, steps=(*agent.steps[:-1], replace(last, content=last.content + content)))


def _open_step(agent: AgentView, told: Data) -> AgentView:
    at = _find_open(tuple(step.call for step in agent.steps), told)
    step = AgentStep("call", call=_tool_view(told))
    return replace(agent, steps=(*agent.steps, step) if at is None else _put(agent.steps, at, step))


def _close_step(agent: AgentView, told: Data) -> AgentView:
    opened = _open_step(agent, told) if "arguments" in told else agent
    at = _find_open(tuple(step.call for step in opened.steps), told)
    call = None if at is None else opened.steps[at].call
    if at is None or call is None:
        return agent
    closed = replace(call, success=told["success"], result=_result(told))
    return replace(opened, steps=_put(opened.steps, at, AgentStep("call", call=closed)))
