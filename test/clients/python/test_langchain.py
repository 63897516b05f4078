"""LangChain: ChatOpenAI on both of OpenAI's APIs, and ChatOllama."""

import ollama
import openai
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_ollama import ChatOllama, OllamaEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel
from said import ANSWER, MODEL, NOBODY, PIXEL, QUESTION, SEER, THINKER, THOUGHT, URL


def chat(model: str = MODEL, **rest) -> ChatOpenAI:
    return ChatOpenAI(base_url=f"{URL}/v1", api_key="any", model=model, max_retries=0, **rest)


def responses(model: str = MODEL) -> ChatOpenAI:
    return chat(model, use_responses_api=True)


def native(model: str = MODEL, **rest) -> ChatOllama:
    return ChatOllama(base_url=URL, model=model, **rest)


KINDS = [chat, responses, native]
kinds = pytest.mark.parametrize("kind", KINDS)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


class Place(BaseModel):
    """A place."""

    city: str


@kinds
def test_answers_whole(kind):
    answer = kind().invoke(QUESTION)
    assert answer.text == ANSWER
    assert answer.usage_metadata["output_tokens"] == 2


@kinds
def test_streams(kind):
    pieces = list(kind().stream(QUESTION))
    whole = sum(pieces[1:], pieces[0])
    assert isinstance(whole, AIMessageChunk)
    assert whole.text == ANSWER


def test_thinks():
    answer = native(THINKER, reasoning=True).invoke(QUESTION)
    assert (answer.text, answer.additional_kwargs["reasoning_content"]) == (ANSWER, THOUGHT)


@kinds
@pytest.mark.parametrize("count", [1, 2])
def test_calls_tools(kind, count):
    model = kind().bind_tools([get_weather])
    messages = [HumanMessage(f"weather {count}")]
    first = model.invoke(messages)
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [("get_weather", {"city": "Paris"})] * count
    results = [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in first.tool_calls]
    assert model.invoke([*messages, first, *results]).text == "Told: " + ", ".join(["sun in Paris"] * count)


@pytest.mark.parametrize("kind", [chat, responses])
def test_has_to_call_a_tool(kind):
    model = kind().bind_tools([get_weather], tool_choice="get_weather")
    assert [call["args"] for call in model.invoke(QUESTION).tool_calls] == [{"city": "Paris"}]


@kinds
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_fits_a_schema(kind, method):
    if kind is native and method == "function_calling":
        pytest.skip("Ollama's API has no forced calls")
    assert kind().with_structured_output(Place, method=method).invoke(QUESTION) == Place(city="Paris")


@kinds
def test_sees_images(kind):
    url = f"data:image/png;base64,{PIXEL}"
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    assert kind(SEER).invoke([HumanMessage(content=parts)]).text == "A dot."


@kinds
def test_raises_what_is_wrong(kind):
    errors = (openai.NotFoundError, ollama.ResponseError)
    with pytest.raises(errors, match=NOBODY):
        kind(NOBODY).invoke(QUESTION)
    seen = []
    with pytest.raises((openai.APIError, ollama.ResponseError, ValueError), match="has terminated"):
        for piece in kind().stream("break"):
            seen.append(piece.text)
    assert "".join(seen) == "It is "


def test_embeds():
    by_ollama = OllamaEmbeddings(base_url=URL, model="nomic-embed-text").embed_query("a")
    by_openai = OpenAIEmbeddings(
        base_url=f"{URL}/v1", api_key="any", model="nomic-embed-text", check_embedding_ctx_length=False
    ).embed_query("a")
    assert len(by_ollama) == len(by_openai) > 0
