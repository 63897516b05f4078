// What one question from the command line may say, for `ask` and for `chat` with a question.
import type { Command } from 'commander';
import type { Flags } from './command.ts';

export interface AskFlags {
  readonly server?: string;
  readonly model?: string;
  readonly session?: string;
  readonly continue?: true;
  readonly think?: true;
  readonly system?: string;
  readonly file?: readonly string[];
  readonly json?: true;
  readonly events?: true;
  readonly schema?: string;
}

/** Those that `chat` has besides are its own. */
export function addAskOptions(command: Command): Command {
  return command
    .option('--system <text>', 'system prompt of a new session')
    .option('--file <path>', 'goes along: text up to 1 MiB, or a picture; may be said again', collect)
    .option('--json', 'print the whole answer as JSON: what POST /chat/{id} answers')
    .option('--events', 'print every event of the turn as it comes, a line of JSON each')
    .option('--schema <file>', 'JSON Schema that the answer must fit; it is printed when it does');
}

export function addTalkOptions(command: Command): Command {
  return command
    .option('--server <url>', 'where it runs; default: host and port of the settings')
    .option('--model <name>', 'model of a new session; default: the one of the server')
    .option('--session <id>', 'go on with this session')
    .option('-c, --continue', 'go on with the newest session')
    .option('--think', 'show what the model thinks, where it can');
}

function collect(path: string, paths: readonly string[] = []): readonly string[] {
  return [...paths, path];
}

/** Whether it is about one question, although none is on the command line. */
export function isOneQuestion({ file, json, events, schema }: AskFlags): boolean {
  return file !== undefined || json === true || events === true || schema !== undefined;
}

/** As settings are said: with a text, or with nothing. */
export function settingsOf(flags: AskFlags): Flags {
  const said: [string, unknown][] = Object.entries(flags);
  return Object.fromEntries(said.filter((one): one is [string, string | true] => !Array.isArray(one[1])));
}
