// `mochi-server ask`: one question for scripts. The answer is on stdout, all else on stderr.
import {
  type ChatBody,
  EMPTY_TURN,
  foldTurn,
  isMochiError,
  type Mochi,
  type Turn,
  type TurnEvent,
} from '../client/index.ts';
import type { Config } from '../config.ts';
import type { AskFlags } from './ask-options.ts';
import { type AskForm, printAnswer } from './asked-answer.ts';
import {
  AttachError,
  type Attachment,
  attachNamed,
  readAttachment,
  toAttachment,
  withAttachments,
} from './attach-files.ts';
import { complain, EXIT_FAILURE, ExitError } from './command.ts';
import { connectServer, serveCommand } from './server-client.ts';
import { sayError, whenUnread } from './terminal.ts';
import { showEngineWait } from './wait-for-engine.ts';

/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;
const MAX_STDIN_BYTES = 32 * 1024 * 1024;

/** @throws ExitError 1 when there is no answer, 2 when the command line cannot be meant, 130 when it was stopped */
export async function ask(config: Config, words: readonly string[], flags: AskFlags): Promise<void> {
  const stop = new AbortController();
  const onStop = () => stop.abort(new ExitError(INTERRUPTED));
  process.once('SIGINT', onStop);
  process.once('SIGTERM', onStop);
  const hearNoMore = whenUnread(onStop);
  const wait = showEngineWait();
  const { signal } = stop;
  const mochi = connectServer(config, flags.server, { waitForEngine: wait.show });
  try {
    const form = formOf(flags);
    const body = await readQuestion(words, flags, signal);
    const sessionId = await openSession(mochi, flags, signal);
    const turn = mochi.chat.stream(sessionId, body, { signal });
    await printAnswer(denying(mochi, turn, wait.clear), form, (id) => mochi.turns.watch(id).answer());
  } catch (error) {
    throw explain(error, mochi.baseUrl, serveCommand(config));
  } finally {
    wait.clear();
    process.off('SIGINT', onStop);
    process.off('SIGTERM', onStop);
    hearNoMore();
  }
}

function formOf({ json, events, schema }: AskFlags): AskForm {
  if (json === true && events === true) throw complain(['--json and --events exclude each other.']);
  if (events === true) return 'events';
  if (json === true) return 'json';
  // A part of a JSON is none.
  return schema === undefined ? 'text' : 'whole';
}

/** What is asked: the words, what comes through a pipe, files. */
async function readQuestion(
  words: readonly string[],
  flags: AskFlags,
  signal: AbortSignal,
): Promise<ChatBody> {
  const said = words.join(' ');
  const piped = process.stdin.isTTY ? null : await readPipe(signal);
  const { attachments: named, missing } = await attachNamed(said);
  for (const path of missing) sayError(`mochi-server: there is no file ${path}; it is taken as it stands.\n`);
  const files: Attachment[] = [...named];
  for (const path of flags.file ?? []) files.push(await readAttachment(path));
  if (piped !== null && piped.length > 0) files.push(toAttachment('stdin', piped));
  // Alone it is the question.
  const only = said.trim() === '' && files.length === 1 ? files[0] : undefined;
  const { message, images } =
    only !== undefined && 'text' in only ? { message: only.text, images: [] } : withAttachments(said, files);
  if (message.trim() === '')
    throw complain(['Say what to ask: mochi-server ask "…", or give it through a pipe.']);
  return {
    message,
    think: flags.think === true,
    ...(images.length > 0 && { images: [...images] }),
    ...(flags.schema !== undefined && { format: await readSchema(flags.schema) }),
  };
}

async function readPipe(signal: AbortSignal): Promise<Buffer> {
  const onStop = () => process.stdin.destroy();
  signal.addEventListener('abort', onStop);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin) {
      size += chunk.length;
      if (size > MAX_STDIN_BYTES) throw new AttachError('stdin is too large: 1 MiB of text can go along.');
      chunks.push(chunk);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', onStop);
  }
  if (signal.aborted) throw signal.reason;
  return Buffer.concat(chunks);
}

async function readSchema(path: string): Promise<Record<string, unknown>> {
  const attached = await readAttachment(path);
  try {
    const schema: unknown = JSON.parse('text' in attached ? attached.text : '');
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return { ...schema };
  } catch {
    // Said below.
  }
  throw new AttachError(`${path} is no JSON Schema: it must hold one JSON object.`);
}

async function openSession(mochi: Mochi, flags: AskFlags, signal: AbortSignal): Promise<string> {
  const { session, model, system } = flags;
  const isOld = session !== undefined || flags.continue === true;
  if (isOld && (model !== undefined || system !== undefined))
    throw complain(['--model and --system are for a new session: leave out --session and --continue.']);
  if (session !== undefined) return session;
  if (isOld) {
    const { sessions } = await mochi.sessions.list({ limit: 1 }, { signal });
    if (sessions[0] !== undefined) return sessions[0].session_id;
  }
  const settings = { model: model ?? null, ...(system !== undefined && { system_prompt: system }) };
  return (await mochi.sessions.create(settings, { signal })).session_id;
}

/** Nobody sits here who could say yes: what asks is denied, and the model is told. */
async function* denying(mochi: Mochi, turn: Turn, onEvent: () => void): AsyncGenerator<TurnEvent, void> {
  const denied = new Set<string>();
  let view = EMPTY_TURN;
  for await (const event of turn) {
    onEvent();
    view = foldTurn(view, event);
    for (const { confirmation_id: id, tool_name: name } of view.approvals) {
      if (denied.has(id)) continue;
      denied.add(id);
      sayError(`mochi-server: ${name} asks for an approval, and nobody is here to give it: denied.\n`);
      await deny(mochi, id);
    }
    yield event;
  }
}

async function deny(mochi: Mochi, id: string): Promise<void> {
  try {
    await mochi.approvals.decide(id, { decision: 'deny', reason: 'Nobody is there to approve it.' });
  } catch (error) {
    // Somebody else was faster.
    if (!isMochiError(error) || error.status === null) throw error;
  }
}

function explain(error: unknown, url: string, start: string): unknown {
  if (error instanceof AttachError) return complain([error.message]);
  if (!isMochiError(error)) return error;
  if (error.code !== 'unreachable') return complain([error.message], EXIT_FAILURE);
  return complain([`no server answers at ${url}. Start it: ${start}`], EXIT_FAILURE);
}
