"""The official client of Ollama."""

import ollama
import pytest
from said import ANSWER, MODEL, NOBODY, PIXEL, QUESTION, SCHEMA, SEER, THINKER, THOUGHT, URL, said

client = ollama.Client(host=URL)
asked = [{"role": "user", "content": QUESTION}]


def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: Its name
    """
    return f"sun in {city}"


def test_lists_and_shows_models():
    names = [model.model for model in client.list().models]
    assert f"{MODEL}:latest" in names
    shown = client.show(THINKER)
    assert "thinking" in shown.capabilities
    assert shown.details.family


def test_answers_whole_with_thoughts():
    answer = client.chat(model=THINKER, messages=asked)
    assert (answer.message.content, answer.message.thinking) == (ANSWER, THOUGHT)
    assert (answer.done, answer.done_reason, answer.eval_count) == (True, "stop", 3)
    plain = client.chat(model=THINKER, messages=asked, think=False)
    assert (plain.message.content, plain.message.thinking) == (ANSWER, None)


def test_streams():
    pieces = list(client.chat(model=MODEL, messages=asked, stream=True))
    assert "".join(piece.message.content for piece in pieces) == ANSWER
    assert [piece.done for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert client.generate(model=MODEL, prompt=QUESTION).response == ANSWER


@pytest.mark.parametrize("count", [1, 2])
def test_calls_tools(count):
    messages = [{"role": "user", "content": f"weather {count}"}]
    first = client.chat(model=MODEL, messages=messages, tools=[get_weather])
    calls = first.message.tool_calls
    assert [(call.function.name, dict(call.function.arguments)) for call in calls] == [
        ("get_weather", {"city": "Paris"})
    ] * count
    messages += [first.message]
    messages += [
        {"role": "tool", "tool_name": call.function.name, "content": get_weather(**call.function.arguments)}
        for call in calls
    ]
    second = client.chat(model=MODEL, messages=messages, tools=[get_weather])
    assert second.message.content == "Told: " + ", ".join(["sun in Paris"] * count)


def test_fits_a_schema():
    assert client.chat(model=MODEL, messages=asked, format=SCHEMA).message.content == '{"city":"Paris"}'


def test_sees_images():
    messages = [{"role": "user", "content": "What?", "images": [PIXEL]}]
    assert client.chat(model=SEER, messages=messages).message.content == "A dot."


def test_raises_what_is_wrong():
    with pytest.raises(ollama.ResponseError) as unknown:
        client.chat(model=NOBODY, messages=asked)
    assert (unknown.value.status_code, unknown.value.error) == (404, f"model '{NOBODY}' not found")
    seen = []
    with pytest.raises(ollama.ResponseError):
        for piece in client.chat(model=MODEL, messages=[{"role": "user", "content": "break"}], stream=True):
            seen.append(piece.message.content)
    assert "".join(seen) == "It is "


def test_embeds():
    assert len(client.embed(model="nomic-embed-text", input=["a", "b"]).embeddings) == 2


def test_keeps_a_named_session():
    named = ollama.Client(host=URL, headers={"x-mochi-session": "py-ollama"})
    named.chat(model=MODEL, messages=asked)
    whole = [*asked, {"role": "assistant", "content": ANSWER}, *asked]
    named.chat(model=MODEL, messages=whole)
    response = named._client.post("/api/chat", json={"model": MODEL, "messages": asked, "stream": False})
    assert said(response.headers["x-mochi-session"]) == [("user", QUESTION), ("assistant", ANSWER)] * 3
