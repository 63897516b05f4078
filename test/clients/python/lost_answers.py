"""Connections that lose an answer on its way."""


class LosingFirst:
    """Stands for an HTTP client; its first answer is read to its end, and then lost."""

    def __init__(self, client, error: type[Exception]) -> None:
        self._client = client
        self._error = error
        self.sent: list[str | None] = []

    def __getattr__(self, name: str):
        return getattr(self._client, name)

    def send(self, request, **kwargs):
        self.sent.append(request.headers.get("x-stainless-retry-count"))
        response = self._client.send(request, **kwargs)
        if len(self.sent) > 1:
            return response
        response.read()
        raise self._error("the connection broke", request=request)
