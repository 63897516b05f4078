// Every error that can cross the wire: its code, its status, and when it is raised.

export interface ErrorKind {
  readonly status:
    | 400
    | 401
    | 403
    | 404
    | 405
    | 408
    | 409
    | 410
    | 413
    | 415
    | 422
    | 431
    | 500
    | 502
    | 503
    | 504;
  /** When it is raised; printed in the OpenAPI document. */
  readonly text: string;
  /** The code on the wire where it differs from the key (one code, two statuses). */
  readonly code?: string;
}

/** The one table: kind → status. A kind without a status does not compile. */
export const ERRORS = {
  bad_request: { status: 400, text: 'The request is not well-formed HTTP.' },
  context_overflow: {
    status: 400,
    text: 'The message cannot fit the largest context window of the model. Nothing of it is stored; where only the engine could tell, after `turn_start`, `details.message_taken_back` says that it is off the path again.',
  },
  cursor_expired: {
    status: 400,
    text: 'The events after `starting_after` are not held any more: the response is read from its start.',
  },
  empty_history: { status: 400, text: 'There is nothing to answer.' },
  images_not_supported: {
    status: 400,
    text: 'The model does not accept images. Nothing of the message is stored; where only the engine could tell, `details.message_taken_back` says so.',
  },
  tool_confirmation_requires_streaming: {
    status: 400,
    text: 'A tool call needs an approval, and the request does not wait for one: no tool of that answer was run. Stream, or send `on_approval`.',
  },
  tool_call_not_found: {
    status: 400,
    text: 'A result is of no call of the conversation, or of one that has its result.',
  },
  tools_not_supported: {
    status: 400,
    text: 'The model cannot call tools, and the request brings some of its own: nothing is stored then.',
  },
  unsupported_parameter: {
    status: 400,
    text: 'A field that would change the meaning of the answer cannot be honoured; `details.parameter` names it.',
  },
  image_url_not_supported: {
    status: 400,
    text: 'An image is given by its address: the server fetches nothing for clients. Send it in base64.',
  },
  invalid_content: { status: 400, text: 'The system prompt file is blank or too long to be used.' },
  invalid_cursor: { status: 400, text: 'The cursor was not issued by this list.' },
  invalid_filename: { status: 400, text: 'The name cannot be that of a system prompt file.' },
  invalid_message_index: {
    status: 400,
    text: 'The index is out of range, or does not name a user message.',
  },
  not_supported: { status: 400, text: 'The engine that runs the model cannot do this.' },
  model_unusable: {
    status: 400,
    code: 'model_not_found',
    text: 'The model is not installed, or cannot chat.',
  },
  no_summary_model: { status: 400, text: 'No model of the session can write summaries.' },
  no_system_prompt: { status: 400, text: 'The session has no system prompt.' },
  unauthorized: { status: 401, text: 'The API key is missing or wrong.' },
  host_not_allowed: { status: 403, text: 'The Host or Origin of the request is not allowed.' },
  tool_execution_denied: { status: 403, text: 'The policy of the operator forbids the call.' },
  confirmation_not_found: { status: 404, text: 'There is no such approval.' },
  grant_not_found: { status: 404, text: 'There is no such grant.' },
  execution_not_found: { status: 404, text: 'No run of a tool has this id.' },
  mcp_server_not_found: { status: 404, text: 'There is no such MCP server.' },
  image_not_found: { status: 404, text: 'The message has no such image.' },
  message_not_found: { status: 404, text: 'The session has no such message.' },
  model_not_found: { status: 404, text: 'The engine has no such model.' },
  no_active_turn: { status: 404, text: 'The session is not answering.' },
  agent_not_found: { status: 404, text: 'There is no such agent.' },
  not_found: { status: 404, text: 'There is no such path.' },
  prompt_not_found: { status: 404, text: 'There is no such system prompt file.' },
  session_not_found: { status: 404, text: 'There is no such session.' },
  tool_not_found: { status: 404, text: 'There is no such tool.' },
  turn_not_found: { status: 404, text: 'There is no such turn.' },
  method_not_allowed: { status: 405, text: 'The path exists, but not with this method.' },
  request_timeout: { status: 408, text: 'The request took too long to arrive.' },
  approval_changed: {
    status: 409,
    text: 'What was asked about is another call or another tool than the one that would run.',
  },
  approval_decided: { status: 409, text: 'The approval is settled already; `details.decision` says how.' },
  prompt_exists: { status: 409, text: 'There is a system prompt file of that name already.' },
  session_busy: { status: 409, text: 'The session is answering; the change cannot be applied now.' },
  turn_cancelled: { status: 409, text: 'The turn was cancelled before it was complete.' },
  approval_expired: { status: 410, text: 'The time to decide is over.' },
  payload_too_large: { status: 413, text: 'The body is over the limit.' },
  unsupported_media_type: { status: 415, text: 'The body is not JSON, or is encoded.' },
  decision_not_allowed: { status: 422, text: 'The approval cannot be decided like this.' },
  agent_invalid: { status: 422, text: 'The agent cannot work; the message says why.' },
  idempotency_mismatch: {
    status: 422,
    text: 'The idempotency key was used with another request.',
  },
  validation_error: { status: 422, text: 'The body or the query does not fit its schema.' },
  headers_too_large: { status: 431, text: 'The header fields are over the limit.' },
  internal_error: { status: 500, text: 'A fault of the server; the log has it under the request id.' },
  session_load_error: { status: 500, text: 'The stored data could not be read.' },
  session_save_error: {
    status: 500,
    text: 'The data could not be written (disk full or read-only); earlier data is intact.',
  },
  engine_failed: { status: 502, text: 'The embedded engine could not answer, or its process ended.' },
  incomplete_response: { status: 502, text: 'The stream of the engine ended before the answer did.' },
  invalid_structured_output: { status: 502, text: 'The answer does not fit the requested format.' },
  model_pull_failed: { status: 502, text: 'The model could not be fetched; its message has the reasons.' },
  ollama_error: {
    status: 502,
    text: 'Ollama answered with an error, or what is at its address is no Ollama; the message says which.',
  },
  ollama_unreachable: { status: 502, text: 'Ollama could not be reached.' },
  tool_calls_unusable: {
    status: 502,
    text: 'The model asked for tools in a way that cannot be kept: over 512 calls at once, or arguments nested over 50 levels deep.',
  },
  tool_loop_limit: { status: 502, text: 'The model asked for tools too many times in one turn.' },
  storage_lost: {
    status: 503,
    text: 'The database was removed, replaced or truncated while the server ran and must be put back, or the disk has failed; nothing is stored until a new start.',
  },
  database_busy: {
    status: 503,
    text: 'Another program is writing to the database, or the disk or the database does not answer; try again.',
  },
  engine_busy: { status: 503, text: 'The queue of the engine is full.' },
  engine_not_ready: {
    status: 503,
    text: 'The embedded engine or its model is being fetched (`details.is_underway`; `details.progress`: `status`, and bytes `completed` of `total`), or could not be; the message says what to do.',
  },
  insufficient_memory: { status: 503, text: 'The model with this window does not fit into memory.' },
  not_accepting: {
    status: 503,
    text: 'The server takes nothing new: it is stopping (`details.reason`: `stopping`), or its database is for a newer version by now (`outdated`, `details.min_version`). Nothing of the request was stored; another server takes it, or this one when it is back.',
  },
  overloaded: {
    status: 503,
    text: 'Too many turns are waiting, or all connections to the database are in use; try again later.',
  },
  turn_interrupted: { status: 503, text: 'The server stopped while the turn was running.' },
  engine_timeout: { status: 504, text: 'The engine stayed silent for longer than its deadline.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorKindName = keyof typeof ERRORS;

/** The `error` object of the envelope and of the `error` event. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An error meant for the client. Everything else that is thrown becomes `internal_error`. */
export class MochiError extends Error {
  override readonly name = 'MochiError';
  readonly kind: ErrorKindName;
  readonly details: Readonly<Record<string, unknown>>;
  /** The message without the advice that only a client can follow: for models. */
  readonly fact: string;
  readonly advice: string | null;

  /**
   * @param message for people: what is wrong and what to do; never a path, a stack or an SQL text
   * @param advice the end of the message: what a client can send
   */
  constructor(
    kind: ErrorKindName,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    advice: string | null = null,
  ) {
    // What an engine or a client said may be in it, halves of characters too.
    const fact = message.toWellFormed();
    super(advice === null ? fact : `${fact} ${advice}`);
    this.fact = fact;
    this.advice = advice;
    this.kind = kind;
    this.details = details;
  }

  get status(): number {
    return ERRORS[this.kind].status;
  }

  get code(): string {
    return codeOf(this.kind);
  }

  toBody(): ErrorBody {
    return { code: this.code, message: this.message, details: this.details };
  }
}

/** The end of a sentence about a turn that did not come to its end. Not true of one that is stored nowhere. */
export const PART_IS_KEPT = '; what came until then is kept';

/** What a client can do about a turn of a chat that broke off. */
export const TRY_AGAIN = 'Send message: null to try again.';

/**
 * A value of the request that is not as it must be.
 * @param path of the value, such as `/format`
 * @param message completes it: "must be …"
 */
export function invalidField(path: string, message: string): MochiError {
  return new MochiError('validation_error', `The request is not valid: ${path} ${message}.`, {
    errors: [{ path, message }],
  });
}

/** The code that a kind of error has on the wire. */
export function codeOf(kind: ErrorKindName): string {
  const entry: ErrorKind = ERRORS[kind];
  return entry.code ?? kind;
}

/** The kind behind a code on the wire; null for a code of nobody. */
export function kindOf(code: string): ErrorKindName | null {
  return Object.keys(ERRORS).find((kind): kind is ErrorKindName => kind === code) ?? null;
}
