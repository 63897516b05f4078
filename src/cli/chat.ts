// `mochi-server chat`: a conversation with a running server, on a terminal or through a pipe.
import { createInterface } from 'node:readline';
import { isMochiError } from '../client/index.ts';
import type { Config } from '../config.ts';
import { ChatHistory } from './chat/chat-history.ts';
import type { ChatPlace } from './chat/chat-place.ts';
import { COMMANDS, runCommand } from './chat/commands.ts';
import { completeLine } from './chat/complete-line.ts';
import { Conversation } from './chat/conversation.ts';
import { HistorySearch, type Key } from './chat/history-search.ts';
import { sayMessage, withEditor } from './chat/message-commands.ts';
import { QuietOutput } from './chat/quiet-output.ts';
import { readMessage } from './chat/read-message.ts';
import { replaceLine } from './chat/replace-line.ts';
import { forgetDeleted } from './chat/session-commands.ts';
import { TypedLines } from './chat/typed-lines.ts';
import { ExitError, type Flags } from './command.ts';
import { connectServer, serveCommand } from './server-client.ts';
import { isStyled, markPastes, say, sayError, terminalWidth } from './terminal.ts';
import { showEngineWait } from './wait-for-engine.ts';

export interface ChatFlags extends Flags {
  readonly server?: string;
  readonly model?: string;
  readonly session?: string;
}

const INTERRUPTED =
  'The server was stopped. What is written is kept: /continue goes on, /regenerate answers anew.\n';

export async function chat(config: Config, flags: ChatFlags): Promise<void> {
  const wait = showEngineWait();
  const mochi = connectServer(config, flags.server, { waitForEngine: wait.show });
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const output = new QuietOutput(isTerminal);
  const lines = createInterface({
    input: process.stdin,
    output,
    terminal: isTerminal,
    // The place is there before anybody can press a key.
    completer: (line: string, done: Completed) => void completeFor(place, line, done),
  });
  const typed = new TypedLines(lines, isTerminal ? output : null);
  const conversation = new Conversation(mochi, {
    wait,
    model: flags.model ?? null,
    think: flags['think'] === true,
    look: {
      isMarkdown: isTerminal && isStyled() && flags['plain'] !== true,
      showsThoughts: flags['think'] === true,
      isVerbose: flags['verbose'] === true,
    },
    // What comes through a pipe was written before anybody was asked.
    typed: isTerminal ? typed : null,
  });
  const history = isTerminal ? await ChatHistory.read(config.dataDir) : null;
  const place: ChatPlace = { conversation, typed, lines, isTerminal, history, draft: '', asking: null };
  const onInterrupt = hearKeys(place);
  process.on('SIGINT', onInterrupt);
  try {
    await begin(place, flags);
    await converse(place);
  } catch (error) {
    throw explain(error, mochi.baseUrl, serveCommand(config));
  } finally {
    markPastes(false);
    process.off('SIGINT', onInterrupt);
    lines.close();
    output.destroy();
  }
}

type Completed = (error: null, found: [string[], string]) => void;

/** The line editor knows no promises. */
async function completeFor(place: ChatPlace, line: string, done: Completed): Promise<void> {
  // No server, no words: Tab does nothing then.
  done(null, await completeLine(place, line).catch((): [string[], string] => [[], line]));
}

async function begin(place: ChatPlace, flags: ChatFlags): Promise<void> {
  const { conversation, isTerminal } = place;
  if (flags['continue'] === true) await conversation.openNewest();
  else await conversation.open(flags.session ?? null);
  if (!isTerminal) return;
  void forgetDeleted(place);
  const greeting = [`${conversation.description}.`, '/help shows the commands.'];
  const isShort = greeting.join(' ').length < terminalWidth();
  say(`${greeting.join(isShort ? ' ' : '\n')}\n`);
  await conversation.resume();
}

async function converse(place: ChatPlace): Promise<void> {
  const { conversation, typed, history, isTerminal } = place;
  const read = () => {
    const { draft } = place;
    place.draft = '';
    return isTerminal ? readMessage(typed, draft) : typed.next('');
  };
  for (let message = await read(); message !== null; message = await read()) {
    conversation.greet();
    if (message.trim() === '/quit') break;
    const { sessionId: session } = conversation;
    await history?.remember({ text: message.trimEnd(), server: conversation.mochi.baseUrl, session });
    await answer(place, message.trim());
  }
}

/** One line of the user. On a terminal an error is told and the conversation goes on; a pipe ends with it. */
async function answer(place: ChatPlace, line: string): Promise<void> {
  const { conversation, history, isTerminal } = place;
  try {
    if (line === '') return;
    if (isCommand(line)) await runCommand(place, line.slice(1));
    else await sayMessage(place, line);
  } catch (error) {
    if (!isTerminal || !isMochiError(error)) throw error;
    say(error.code === 'turn_interrupted' ? INTERRUPTED : `${error.message}\n`);
    if (error.code !== 'session_not_found') return;
    const { mochi, sessionId } = conversation;
    await history?.forget(mochi.baseUrl, new Set([sessionId]));
    say('It was deleted. /new begins another conversation, /sessions lists those there are.\n');
  }
}

/** `/etc/hosts has …` is a message. */
function isCommand(line: string): boolean {
  const [, name = '', end = ''] = /^\/(\w+)(\S*)/.exec(line) ?? [];
  return name !== '' && (end === '' || Object.hasOwn(COMMANDS, name));
}

/** Keys that the line editor has no use for. @returns what Ctrl-C does */
function hearKeys(place: ChatPlace): () => void {
  const { lines, typed, history, isTerminal } = place;
  const search = new HistorySearch({ lines, typed, messages: () => history?.messages ?? [] });
  const onInterrupt = () => interrupt(place, search);
  lines.on('SIGINT', onInterrupt);
  lines.on('close', () => place.conversation.stop());
  if (!isTerminal || history === null) return onInterrupt;
  history.serve(lines);
  process.stdin.on('keypress', (_text, key: Key = {}) => {
    typed.hearKey(key.name);
    if (search.hear(key)) return;
    if (key.ctrl === true && key.name === 'g' && typed.isAsking) void editLine(place);
  });
  markPastes(true);
  return onInterrupt;
}

/** Whatever is under way, the innermost first; with nothing, the conversation is over. */
function interrupt({ conversation, lines, typed, asking }: ChatPlace, search: HistorySearch): void {
  if (search.cancel()) return;
  if (asking !== null) return asking.abort();
  if (!conversation.isAnswering && typed.isAsking && lines.line !== '') return replaceLine(lines, '');
  if (conversation.stop() !== 'stopping') lines.close();
}

/** What stands in the line, in an editor. */
async function editLine(place: ChatPlace): Promise<void> {
  const { lines } = place;
  say('\n');
  const edited = await withEditor(place, lines.line);
  Reflect.set(lines, 'prevRows', 0);
  if (edited !== null) replaceLine(lines, edited);
  lines.prompt(true);
}

function explain(error: unknown, url: string, start: string): unknown {
  if (!isMochiError(error)) return error;
  const isThere = error.code !== 'unreachable';
  sayError(`mochi-server: ${isThere ? error.message : `no server answers at ${url}. Start it: ${start}`}\n`);
  return new ExitError(1);
}
