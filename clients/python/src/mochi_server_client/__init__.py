"""The client of mochi-server: ``Mochi``, and ``AsyncMochi`` for ``await``."""

from ._async import AsyncListing, AsyncTurn
from ._async_client import AsyncMochi
from ._sync import Listing, Turn
from ._sync_client import Mochi
from .errors import MochiError
from .exchange import Retry
from .fold import EMPTY_TURN, AgentStep, AgentView, ToolView, TurnView, fold_turn

__all__ = [
    "EMPTY_TURN",
    "AgentStep",
    "AgentView",
    "AsyncListing",
    "AsyncMochi",
    "AsyncTurn",
    "Listing",
    "Mochi",
    "MochiError",
    "Retry",
    "ToolView",
    "Turn",
    "TurnView",
    "fold_turn",
]
