"""The official client of OpenAI: Chat Completions, Responses, Conversations, embeddings."""

import httpx2 as httpx
import openai
import pytest
from lost_answers import LosingFirst
from pydantic import BaseModel
from said import ANSWER, MODEL, NOBODY, PIXEL, QUESTION, SCHEMA, SEER, THINKER, THOUGHT, URL, said, state_of

client = openai.OpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=0)
asked = [{"role": "user", "content": QUESTION}]
tool = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}


def session(name: str) -> dict:
    return {"x-mochi-session": name}


def test_lists_models():
    assert f"{MODEL}:latest" in [model.id for model in client.models.list()]
    assert client.models.retrieve(THINKER).id == THINKER


def test_answers_whole_with_thoughts():
    answer = client.chat.completions.create(model=THINKER, messages=asked)
    message = answer.choices[0].message
    assert (message.content, message.reasoning_content) == (ANSWER, THOUGHT)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_streams():
    with client.chat.completions.stream(
        model=MODEL, messages=asked, stream_options={"include_usage": True}
    ) as stream:
        seen = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert ("".join(seen), final.choices[0].message.content) == (ANSWER, ANSWER)
    assert final.usage.completion_tokens == 2


@pytest.mark.parametrize("count", [1, 2])
def test_calls_tools(count):
    messages = [{"role": "user", "content": f"weather {count}"}]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=[tool])
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert [call.function.name for call in message.tool_calls] == ["get_weather"] * count
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"sun {at}"}
        for at, call in enumerate(message.tool_calls)
    ]
    second = client.chat.completions.create(model=MODEL, messages=[*messages, message, *results], tools=[tool])
    assert second.choices[0].message.content == "Told: " + ", ".join(f"sun {at}" for at in range(count))


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_has_to_call_a_tool(choice):
    answer = client.chat.completions.create(model=MODEL, messages=asked, tools=[tool], tool_choice=choice)
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Paris"}')


class Place(BaseModel):
    city: str


def test_fits_a_schema():
    answer = client.chat.completions.parse(model=MODEL, messages=asked, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="Paris")
    response = client.responses.parse(model=MODEL, input=QUESTION, text_format=Place, store=False)
    assert response.output_parsed == Place(city="Paris")


def test_sees_images():
    url = f"data:image/png;base64,{PIXEL}"
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    answer = client.chat.completions.create(model=SEER, messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "A dot."


def test_raises_what_is_wrong_before_a_word():
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model=NOBODY, messages=asked)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=asked, n=2)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "n")
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "long " * 400_000}])
    assert long.value.code == "context_length_exceeded"


def test_raises_what_breaks_in_the_stream():
    seen = []
    with pytest.raises(openai.APIError):
        for chunk in client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "break"}], stream=True
        ):
            seen.append(chunk.choices[0].delta.content or "")
    assert "".join(seen) == "It is "


def test_leaving_a_stream_cancels():
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=[{"role": "user", "content": "hang"}],
        stream=True,
        extra_headers=session("py-openai-left"),
    )
    turn = answer.headers["x-turn-id"]
    stream = answer.parse()
    for chunk in stream:
        if chunk.choices[0].delta.content == "is ":
            break
    stream.close()
    assert state_of(turn, "cancelled") == "cancelled"


def test_a_retry_joins():
    retrying = openai.OpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=1)
    retrying._client = losing = LosingFirst(retrying._client, httpx.ReadError)
    answer = retrying.chat.completions.with_raw_response.create(
        model=MODEL, messages=asked, extra_headers=session("py-openai-retried")
    )
    assert answer.parse().choices[0].message.content == ANSWER
    assert losing.sent == ["0", "1"]
    assert said(answer.headers["x-mochi-session"]) == [("user", QUESTION), ("assistant", ANSWER)]


def test_keeps_a_named_session():
    headers = session("py-openai")
    for length in (2, 4):
        answer = client.chat.completions.with_raw_response.create(
            model=MODEL, messages=asked, extra_headers=headers
        )
        assert len(said(answer.headers["x-mochi-session"])) == length


def test_embeds():
    answer = client.embeddings.create(model="nomic-embed-text", input=["a", "b"])
    assert [len(entry.embedding) > 0 for entry in answer.data] == [True, True]


def test_responses_go_on():
    first = client.responses.create(model=THINKER, input=QUESTION)
    assert (first.output_text, first.status) == (ANSWER, "completed")
    assert [item.type for item in first.output] == ["reasoning", "message"]
    with client.responses.stream(model=THINKER, input=QUESTION, previous_response_id=first.id) as stream:
        seen = [event.delta for event in stream if event.type == "response.output_text.delta"]
        second = stream.get_final_response()
    assert "".join(seen) == second.output_text == ANSWER
    assert client.responses.retrieve(second.id).output_text == ANSWER
    kept = said(second.conversation.id.removeprefix("conv_"))
    assert kept == [("user", QUESTION), ("assistant", ANSWER)] * 2


def test_responses_call_tools():
    offered = {"type": "function", "name": "get_weather", "parameters": SCHEMA, "strict": True}
    first = client.responses.create(model=MODEL, input="weather 1", tools=[offered])
    (call,) = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sun"}
    second = client.responses.create(
        model=MODEL, input=[result], previous_response_id=first.id, tools=[offered]
    )
    assert second.output_text == "Told: sun"


def test_responses_in_the_background():
    response = client.responses.create(model=MODEL, input="hang", background=True)
    assert response.status in ("queued", "in_progress")
    assert client.responses.cancel(response.id).status == "cancelled"
    with client.responses.stream(response_id=response.id) as stream:
        assert next(iter(stream)).type == "response.created"


def test_conversations():
    conversation = client.conversations.create(items=[{"role": "user", "content": "Before."}])
    response = client.responses.create(model=MODEL, input=QUESTION, conversation=conversation.id)
    assert response.conversation.id == conversation.id
    items = list(client.conversations.items.list(conversation.id, order="asc"))
    assert [item.content[0].text for item in items] == ["Before.", QUESTION, ANSWER]
    assert client.conversations.delete(conversation.id).deleted
