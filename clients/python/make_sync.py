"""Makes the client that blocks of the one that awaits. ``--check``: only says whether it is current."""

from __future__ import annotations

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "src" / "mochi_server_client"
RULES = [
    (r"that waits with ``await``\.", "that waits."),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"\bimport asyncio\b", "import time"),
    (r"\b_async(?=[_\s.])", "_sync"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"Awaitable\[([^\[\]]+)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\basync (?=def|for|with)", ""),
    (r"\bawait ", ""),
    (r"\b__a(enter|exit|iter)__", r"__\1__"),
    (r"\baiter_bytes\b", "iter_bytes"),
    (r"\baread\b", "read"),
    (r"\baclose\b", "close"),
    (
        r"``_sync(\w*)\.py`` is made of it by ``make_sync\.py``: change this one\.",
        r"Made of ``_async\1.py`` by ``make_sync.py``: change that one.",
    ),
]


def to_sync(text: str) -> str:
    for pattern, by in RULES:
        text = re.sub(pattern, by, text, flags=re.M)
    return text


def main() -> int:
    status = 0
    for name in ("_async.py", "_async_client.py"):
        made = to_sync((FOLDER / name).read_text("utf-8"))
        target = FOLDER / name.replace("_async", "_sync")
        if "--check" not in sys.argv:
            target.write_text(made, "utf-8")
        elif not target.exists() or target.read_text("utf-8") != made:
            print(f"{target.name} is not current: npm run test:python -- --write")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
