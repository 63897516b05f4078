// What a line that begins with `/` does.
import { say } from '../terminal.ts';
import type { ChatPlace } from './chat-place.ts';
import {
  copyAnswer,
  editLast,
  goOn,
  openEditor,
  regenerate,
  showContext,
  showPreview,
  showThoughts,
  switchBranch,
} from './message-commands.ts';
import {
  deleteSession,
  exportSession,
  forkSession,
  newSession,
  pickSession,
  useSession,
} from './session-commands.ts';
import { setModel, setOption, setPrompt, setThink } from './setting-commands.ts';

interface ChatCommand {
  /** What stands behind its name. */
  readonly takes: string;
  readonly does: string;
  readonly run: (place: ChatPlace, rest: string) => Promise<void> | void;
}

export const COMMANDS: Readonly<Record<string, ChatCommand>> = {
  regenerate: { takes: '', does: 'answer the last message anew', run: regenerate },
  continue: { takes: '', does: 'go on where the last answer ended', run: goOn },
  edit: { takes: '[TEXT]', does: 'change the last message, and answer it', run: editLast },
  editor: { takes: '', does: 'write in $EDITOR; Ctrl-G: what stands in the line', run: openEditor },
  branch: { takes: '', does: 'list versions of the conversation, show another', run: switchBranch },
  sessions: {
    takes: '[WORDS]',
    does: 'list the newest conversations, or search; go on with one',
    run: pickSession,
  },
  use: { takes: 'ID', does: 'go on with a conversation', run: useSession },
  new: { takes: '', does: 'begin a new conversation', run: newSession },
  fork: { takes: '', does: 'go on in a new one with all that was said until now', run: forkSession },
  delete: { takes: '', does: 'delete this conversation, and what was typed in it', run: deleteSession },
  export: {
    takes: '[FILE]',
    does: 'write it to a file: .json, .jsonl (every branch), .md',
    run: exportSession,
  },
  copy: { takes: '[N]', does: 'copy the last answer, or the one N back', run: copyAnswer },
  model: { takes: '[NAME]', does: 'answer with another model', run: setModel },
  prompt: { takes: '[FILE]', does: 'another system prompt; none: without one', run: setPrompt },
  set: { takes: '[NAME VALUE]', does: 'an option, such as temperature 0.2; show them', run: setOption },
  think: { takes: '[LEVEL]', does: 'think before the answer: on, off, low, medium, high', run: setThink },
  show: { takes: '[on|off]', does: 'the thoughts of the last answer; always, or never', run: showThoughts },
  context: { takes: '', does: 'what the model was sent, and what was left out', run: showContext },
  preview: { takes: '[TEXT]', does: 'what it would be sent', run: showPreview },
  help: { takes: '', does: 'this', run: () => say(helpText()) },
  quit: { takes: '', does: 'leave', run: () => undefined },
};

/** @param line without its `/` */
export async function runCommand(place: ChatPlace, line: string): Promise<void> {
  const [, name = '', rest = ''] = /^(\w+)\s*(.*)$/s.exec(line) ?? [];
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return say(`There is no /${name}. /help shows the commands.\n`);
  await command.run(place, rest);
}

function helpText(): string {
  const rows = Object.entries(COMMANDS).map(
    ([name, { takes, does }]) => [`/${name} ${takes}`.trimEnd(), does] as const,
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const commands = rows.map(([usage, does]) => `  ${usage.padEnd(width)}  ${does}\n`).join('');
  return `Type a message; @PATH takes a file along. Several lines: paste them, end a line
with \\, or put them between two """. Keys: Up and Down, Ctrl-R looks through
what was typed, Tab completes, Ctrl-C stops an answer, Ctrl-D leaves.
${commands}`;
}
