// The error that stands for "Ollama answers with this status and `{"error": text}`".

/** Thrown by the checks of a request; the server turns it into the HTTP answer. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}
