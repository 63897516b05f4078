// The log: JSON lines for machines, readable lines for a terminal, both on stderr.
import { type DestinationStream, pino } from 'pino';
import { loadPretty } from './late-packages.ts';
import { showControls } from './show-controls.ts';

interface Write {
  (fields: object, text?: string): void;
  (text: string): void;
}

/** What is logged with: the usual levels. Written out here, so that who imports the package needs no other types. */
export interface Log {
  level: string;
  readonly trace: Write;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  readonly silent: Write;
  /** A log whose lines all carry these fields. */
  child(fields: object, options?: object): Log;
}

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty' | 'auto';
}

/** Header fields that carry secrets never reach a line, whoever logs them. */
const REDACTED = [
  'req.headers.authorization',
  'req.headers.cookie',
  '*.apiKeys',
  '*.databaseUrl',
  '*.authorization',
];

export function createLog({ level, format }: LogOptions): Log {
  const isReadable = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  const options = {
    level,
    redact: REDACTED,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  const destination = isReadable ? readableLines() : pino.destination({ dest: 2, sync: true });
  return pino(options, harmless(destination));
}

function readableLines(): DestinationStream {
  return loadPretty()({
    destination: 2,
    sync: true,
    // Node knows NO_COLOR and FORCE_COLOR.
    colorize: process.stderr.isTTY && process.stderr.hasColors(),
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
    ignore: 'pid,hostname',
  });
}

/** An escaped character in a line of JSON, or one that JSON lets stand as it is although terminals act on it. */
const IN_JSON = /\\(?:u00[0-9a-f]{2}|.)|[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gi;

/** What engines and clients said is shown, not sent: a log is read on terminals. */
function harmless(destination: DestinationStream): DestinationStream {
  return { write: (line) => destination.write(line.replaceAll(IN_JSON, showEscaped)) };
}

function showEscaped(found: string): string {
  const character: string = found.startsWith('\\') ? JSON.parse(`"${found}"`) : found;
  const shown = showControls(character);
  return shown === character ? found : shown;
}
