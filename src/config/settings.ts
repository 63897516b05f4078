// The one table of settings. Loading, `--help` and the table of the README all derive from it.
import { type AgentConfig, agentSettings } from './agent-settings.ts';
import { type DatabaseConfig, databaseSettings } from './database-settings.ts';
import { type DialectConfig, dialectSettings } from './dialect-settings.ts';
import {
  apiKeys,
  boolean,
  directory,
  host,
  hostList,
  httpUrl,
  modelName,
  number,
  ollamaHost,
  oneOf,
  origins,
  seconds,
  secondsOrNever,
  wholeNumber,
} from './parsers.ts';
import type { Setting } from './setting.ts';
import { type ToolConfig, toolSettings } from './tool-settings.ts';

export interface Config extends AgentConfig, DatabaseConfig, DialectConfig, ToolConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Without trailing slash. May hold credentials: show it through `redactUrl`. */
  readonly ollamaHost: string;
  /** auto: Ollama where something listens for it at the start, the embedded engine where nothing does. */
  readonly engine: 'auto' | 'ollama' | 'embedded';
  /** null: the engine's first. */
  readonly defaultModel: string | null;
  /** Base URL without trailing slash. */
  readonly modelHub: string;
  readonly downloadsEnabled: boolean;
  readonly engineUnloadSeconds: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly sessionsDir: string;
  /** Absolute. */
  readonly systemPromptsDir: string;
  /** null: loopback origins, and those of programs that are no web pages. */
  readonly corsOrigins: '*' | readonly string[] | null;
  /** Lower case, without port; IPv6 without brackets. */
  readonly allowedHosts: readonly string[];
  /** Secret. Empty: requests need no key. */
  readonly apiKeys: readonly string[];
  readonly allowUnauthenticated: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** auto: pretty on a terminal, JSON elsewhere. */
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly maxBodyBytes: number;
  readonly webEnabled: boolean;
  readonly requestTimeoutSeconds: number;
  readonly maxConcurrentTurns: number;
  readonly maxQueuedTurns: number;
  readonly maxToolIterations: number;
  /** null: learned. */
  readonly engineParallel: number | null;
  readonly engineInfoTimeoutSeconds: number;
  readonly engineConnectTimeoutSeconds: number;
  readonly firstTokenTimeoutSeconds: number;
  /** 0: never. */
  readonly engineStallSeconds: number;
  readonly idleTimeoutSeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly drainSeconds: number;
  readonly dynamicContextWindowEnabled: boolean;
  /** Tokens. */
  readonly firstContextWindow: number;
  /** Tokens; null: as large as the model was trained for. */
  readonly maxContextWindow: number | null;
  readonly summarizationEnabled: boolean;
  readonly titlesEnabled: boolean;
  /** Billions of parameters; 0: every model is asked. */
  readonly summaryMinBillions: number;
}

const logLevel = oneOf('level', 'DEBUG, INFO, WARNING, ERROR or CRITICAL', {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'fatal',
} as const);

const logFormat = oneOf('format', 'auto, json or pretty', {
  auto: 'auto',
  json: 'json',
  pretty: 'pretty',
} as const);

const engine = oneOf('engine', 'auto, ollama or embedded', {
  auto: 'auto',
  ollama: 'ollama',
  embedded: 'embedded',
} as const);

export const settings: { readonly [Key in keyof Config]: Setting<Config[Key]> } = {
  host: { parser: host, default: '127.0.0.1', description: 'Address to listen on' },
  port: {
    parser: wholeNumber(0, 65535),
    default: 8000,
    description: 'Port to listen on; 0 takes any free one',
  },
  ollamaHost: {
    parser: ollamaHost,
    default: 'http://localhost:11434',
    description: 'Where Ollama listens: host, host:port or URL',
  },
  engine: {
    parser: engine,
    default: 'auto',
    description:
      'What runs models: ollama, embedded, or auto: Ollama where anything listens there, else the embedded one',
  },
  defaultModel: {
    parser: modelName,
    default: null,
    description: 'Model of sessions that name none; the first installed one when not set',
  },
  modelHub: {
    parser: httpUrl,
    default: 'https://huggingface.co',
    description: 'Where models of the embedded engine are fetched from',
  },
  downloadsEnabled: {
    parser: boolean,
    default: true,
    description: 'Let the embedded engine fetch itself and its default model when they are needed',
  },
  engineUnloadSeconds: {
    parser: seconds(86_400),
    default: 300,
    description: 'Time without a chat after which the embedded engine frees its memory',
  },
  dataDir: { parser: directory, default: '.', description: 'Directory of the database and all other data' },
  ...databaseSettings,
  sessionsDir: {
    parser: directory,
    default: 'chat_sessions',
    description: "Directory of the original's session files, inside the data directory unless absolute",
  },
  systemPromptsDir: {
    parser: directory,
    default: 'system_prompts',
    description: 'Directory of the system prompt files, inside the data directory unless absolute',
  },
  ...toolSettings,
  ...agentSettings,
  ...dialectSettings,
  corsOrigins: {
    parser: origins,
    default: null,
    description:
      'Web origins that may call: *, a comma list or a JSON array; when not set, loopback origins and those of apps and browser extensions',
  },
  allowedHosts: {
    parser: hostList,
    default: [],
    description: 'Host names that requests may use besides loopback ones, as a comma list',
  },
  apiKeys: {
    parser: apiKeys,
    default: [],
    description:
      'Keys as a comma list; when set, requests need one, as bearer token or in `x-api-key` or `api-key`',
    flag: 'none',
  },
  allowUnauthenticated: {
    parser: boolean,
    default: false,
    description: 'Listen beyond loopback even without MOCHI_API_KEYS',
    flag: 'switch',
  },
  logLevel: {
    parser: logLevel,
    default: 'info',
    description: 'Least level to log: debug, info, warning, error or critical',
  },
  logFormat: {
    parser: logFormat,
    default: 'auto',
    description: 'json, pretty, or auto: pretty on a terminal, json elsewhere',
  },
  maxBodyBytes: {
    parser: wholeNumber(1, 1024 ** 3),
    default: 10 * 1024 ** 2,
    description: 'Largest request body',
  },
  webEnabled: {
    parser: boolean,
    default: true,
    description: 'The page to chat on, at `/`',
  },
  requestTimeoutSeconds: {
    parser: seconds(86_400),
    default: 300,
    description:
      'Longest time for a request to arrive, its body included; answers may take as long as they do',
  },
  maxConcurrentTurns: {
    parser: wholeNumber(1, 10_000),
    default: 64,
    description: 'Turns that run at once; further ones wait',
  },
  maxQueuedTurns: {
    parser: wholeNumber(1, 100_000),
    default: 512,
    description: 'Turns that may wait; further ones are refused',
  },
  maxToolIterations: {
    parser: wholeNumber(1, 10_000),
    default: 50,
    description: 'Times that the model may ask for tools in one turn',
  },
  engineParallel: {
    parser: wholeNumber(1, 10_000),
    default: null,
    description:
      'Chats of one model that the engine answers at once (OLLAMA_NUM_PARALLEL); further ones wait here, those of all servers on one database in one line; learned when not set',
  },
  engineInfoTimeoutSeconds: {
    parser: seconds(3600),
    default: 5,
    description: 'Longest wait for what the engine knows about its models',
  },
  engineConnectTimeoutSeconds: {
    parser: seconds(3600),
    default: 5,
    description: 'Longest wait for a connection to the engine',
  },
  firstTokenTimeoutSeconds: {
    parser: seconds(86_400),
    default: 600,
    description: 'Longest wait for the first token, loading of the model included',
  },
  engineStallSeconds: {
    parser: secondsOrNever(86_400),
    default: 30,
    description:
      'Silence of an engine that holds the model, beyond the slowest reading of the prompt, after which the model is loaded anew and asked again; 0: never',
  },
  idleTimeoutSeconds: {
    parser: seconds(86_400),
    default: 120,
    description: 'Longest silence of the engine between two tokens',
  },
  shutdownGraceSeconds: {
    parser: seconds(3600),
    default: 10,
    description: 'Time that running turns get to finish at shutdown',
  },
  drainSeconds: {
    parser: secondsOrNever(3600),
    default: 0,
    description:
      'Time at SIGTERM, before the shutdown begins, in which everything is served as before and `/readyz` says 503: longer than a load balancer needs to see that',
  },
  dynamicContextWindowEnabled: {
    parser: boolean,
    default: true,
    description: 'Let the context window grow with the conversation',
  },
  firstContextWindow: {
    parser: wholeNumber(256, 2 ** 31 - 1),
    default: 8192,
    description:
      'Context window in tokens with which a model begins, unless its Modelfile has a num_ctx; it doubles when a conversation needs more',
  },
  maxContextWindow: {
    parser: wholeNumber(256, 2 ** 31 - 1),
    default: null,
    description:
      "Largest context window in tokens that is asked for unless set by hand; the model's own when not set. Set it to what memory allows",
  },
  summarizationEnabled: {
    parser: boolean,
    default: true,
    description: 'Keep a summary of each session, written while nobody waits for the model',
  },
  titlesEnabled: {
    parser: boolean,
    default: true,
    description: 'Give a session a title after its first answer, unless the client gave one',
  },
  summaryMinBillions: {
    parser: number(0, 1000),
    default: 1,
    description:
      'Billions of parameters from which a model writes summaries and titles by itself; below, a title is the first words; 0: every model writes',
  },
};
