// `mochi-server chat`: a conversation with a running server, on a terminal or through a pipe.
import { createInterface, type Interface } from 'node:readline';
import { isMochiError } from '../client/index.ts';
import type { Config } from '../config.ts';
import { ChatConversation } from './chat-conversation.ts';
import { ChatHistory } from './chat-history.ts';
import { ExitError, type Flags } from './command.ts';
import { readMessage } from './read-message.ts';
import { connectServer, serveCommand } from './server-client.ts';
import { markPastes, say, sayError } from './terminal.ts';
import { TypedLines } from './typed-lines.ts';
import { showEngineWait } from './wait-for-engine.ts';

export interface ChatFlags extends Flags {
  readonly server?: string;
  readonly model?: string;
  readonly session?: string;
}

const HELP = `Type a message. Several lines: paste them, end a line with \\, or put them between two """. Commands:
  /regenerate      answer the last message anew
  /edit TEXT       change the last message, and answer it
  /sessions        list the newest sessions
  /use ID          go on with a session
  /new             begin a new session
  /fork            go on in a new session with all that was said until now
  /model [NAME]    answer with another model; without a name, list them
  /help, /quit     Ctrl-C stops an answer, and leaves when there is none
`;

export async function chat(config: Config, flags: ChatFlags): Promise<void> {
  const wait = showEngineWait();
  const mochi = connectServer(config, flags.server, { waitForEngine: wait.show });
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: isTerminal });
  const typed = new TypedLines(lines, isTerminal);
  const conversation = new ChatConversation(mochi, {
    wait,
    model: flags.model ?? null,
    thinks: flags['think'] === true,
    // What comes through a pipe was written before anybody was asked.
    typed: isTerminal ? typed : null,
  });
  const history = isTerminal ? await keepHistory(config, lines, typed) : null;
  lines.on('SIGINT', () => {
    if (!conversation.stop()) lines.close();
  });
  const onSignal = () => {
    if (!conversation.stop()) lines.close();
  };
  process.on('SIGINT', onSignal);
  try {
    if (flags['continue'] === true) await conversation.openNewest();
    else await conversation.open(flags.session ?? null);
    if (isTerminal) {
      say(`${conversation.description}. /help shows the commands.\n`);
      await conversation.resume();
    }
    const read = () => (isTerminal ? readMessage(typed) : typed.next(''));
    for (let message = await read(); message !== null; message = await read()) {
      if (message.trim() === '/quit') break;
      await history?.remember(message.trimEnd(), lines);
      await answer(conversation, message.trim(), isTerminal);
    }
  } catch (error) {
    throw explain(error, mochi.baseUrl, serveCommand(config));
  } finally {
    markPastes(false);
    process.off('SIGINT', onSignal);
    lines.close();
  }
}

/** What was typed before, and what is pasted. */
async function keepHistory(config: Config, lines: Interface, typed: TypedLines): Promise<ChatHistory> {
  const history = await ChatHistory.read(config.dataDir);
  history.serve(lines);
  process.stdin.on('keypress', (_text, key: { readonly name?: string } | undefined) =>
    typed.hearKey(key?.name),
  );
  markPastes(true);
  return history;
}

/** One line of the user. On a terminal an error is told and the conversation goes on; a pipe ends with it. */
async function answer(conversation: ChatConversation, line: string, isTerminal: boolean): Promise<void> {
  const [, command = '', rest = ''] = /^\/(\w+)\s*(.*)$/s.exec(line) ?? [];
  try {
    if (line === '') return;
    if (command === '') return await conversation.say(line);
    switch (command) {
      case 'regenerate':
        return await conversation.regenerate();
      case 'edit':
        return rest === ''
          ? say('Say what the message is to be: /edit TEXT\n')
          : await conversation.edit(rest);
      case 'sessions':
        return await conversation.listSessions();
      case 'use':
        await conversation.open(rest);
        return await conversation.resume();
      case 'new':
        return await conversation.open(null);
      case 'fork':
        await conversation.fork();
        return say(`${conversation.description}.\n`);
      case 'model':
        return rest === '' ? await conversation.listModels() : await conversation.setModel(rest);
      case 'help':
        return say(HELP);
      default:
        say(`There is no /${command}.\n${HELP}`);
    }
  } catch (error) {
    if (!isTerminal || !isMochiError(error)) throw error;
    say(`${error.message}\n`);
  }
}

function explain(error: unknown, url: string, start: string): unknown {
  if (!isMochiError(error)) return error;
  const isThere = error.code !== 'unreachable';
  sayError(`mochi-server: ${isThere ? error.message : `no server answers at ${url}. Start it: ${start}`}\n`);
  return new ExitError(1);
}
