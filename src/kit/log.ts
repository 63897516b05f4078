// The log: JSON lines for machines, readable lines for a terminal, both on stderr.
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty' | 'auto';
}

/** Header fields that carry secrets never reach a line, whoever logs them. */
const REDACTED = ['req.headers.authorization', 'req.headers.cookie', '*.apiKeys', '*.authorization'];

export function createLog({ level, format }: LogOptions): Log {
  const isReadable = format === 'pretty' || (format === 'auto' && process.stderr.isTTY);
  const options = {
    level,
    redact: REDACTED,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  };
  if (!isReadable) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    options,
    pretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY,
      translateTime: 'HH:MM:ss.l',
      singleLine: true,
      ignore: 'pid,hostname',
    }),
  );
}
