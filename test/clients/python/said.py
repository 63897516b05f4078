"""The server under test, and what it keeps."""

import json
import os
import time
import urllib.request

URL = os.environ["MOCHI_URL"]
MODEL = "llama3.2"
THINKER = "qwen3:14b"
SEER = "llava:7b"
NOBODY = "nobody"

QUESTION = "What is the capital of France?"
ANSWER = "Paris."
THOUGHT = "Hm."
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
# A dot.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def get(path: str) -> dict:
    with urllib.request.urlopen(URL + path) as answer:
        return json.load(answer)


def said(session: str) -> list[tuple[str, str]]:
    """What a session holds; the same however it is read."""
    messages = get(f"/api/v1/sessions/{session}/messages")["messages"]
    items = get(f"/v1/conversations/conv_{session}/items?order=asc&limit=100")["data"]
    texts = [
        "".join(part["text"] for part in item["content"]) for item in items if item["type"] == "message"
    ]
    assert texts == [m["content"] for m in messages if m["role"] in ("user", "assistant") and m["content"]]
    ui = get(f"/ai/chat/{session}")["messages"]
    shown = [part["text"] for message in ui for part in message["parts"] if part["type"] == "text"]
    assert shown == texts
    return [(message["role"], message["content"]) for message in messages]


def state_of(turn: str, wanted: str) -> str:
    """The state of a turn, once it is the wanted one; else what it still is after ten seconds."""
    end = time.monotonic() + 10
    while (state := get(f"/api/v1/turns/{turn}")["state"]) != wanted and time.monotonic() < end:
        time.sleep(0.02)
    return state
