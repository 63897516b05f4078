"""What goes wrong, in one shape: said by the server, or met on the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MochiError(Exception):
    """``code`` is the server's, or one of the client's own: ``unreachable`` (no answer came), ``stalled`` (it stopped
    coming), ``not_mochi`` (something else answered), ``text_replaced``, ``no_answer``."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        turn_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: Mapping[str, Any] = details or {}
        #: None: it was told by an ``error`` event, or no answer came.
        self.status = status
        #: Under which the log of the server has it.
        self.request_id = request_id
        #: Seconds.
        self.retry_after = retry_after
        #: The turn that it is about, or that holds the session.
        self.turn_id: str | None = turn_id or self.details.get("turn_id")


def told_error(told: Mapping[str, Any], turn_id: str | None = None) -> MochiError:
    """Of an ``error`` event."""
    return MochiError(told["code"], told["message"], details=told.get("details"), turn_id=turn_id)


def is_lost(error: MochiError) -> bool:
    """The network failed, or a server in trouble: it is worth opening again."""
    status = error.status
    return error.code in ("unreachable", "stalled") or (status is not None and (status >= 500 or status == 429))
