// A text in the editor of the user, as `git commit` does it.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIVATE_FILE } from '../../kit/private-files.ts';

/** What names the editor; it may have options. */
export type EditorSettings = Readonly<Record<string, string | undefined>>;

export class EditorError extends Error {
  override readonly name = 'EditorError';
}

/** The terminal is the editor's until it ends. @throws EditorError when there is none, or it failed */
export async function editText(text: string, environment: EditorSettings): Promise<string> {
  const editor =
    environment['VISUAL'] || environment['EDITOR'] || (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = await mkdtemp(join(tmpdir(), 'mochi-message-'));
  const path = join(folder, 'message.md');
  try {
    await writeFile(path, text, { mode: PRIVATE_FILE });
    await run(editor, path);
    return (await readFile(path, 'utf8')).replaceAll('\r\n', '\n').trimEnd();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(editor: string, path: string): Promise<void> {
  const child =
    process.platform === 'win32'
      ? spawn(`${editor} "${path}"`, { shell: true, stdio: 'inherit' })
      : spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', () =>
      reject(new EditorError(`${editor} does not start. $VISUAL or $EDITOR names another.`)),
    );
    child.on('close', (status) => {
      if (status === 0) return resolve();
      const hint = status === 127 ? ' $VISUAL or $EDITOR names another.' : '';
      reject(new EditorError(`${editor} ended with ${status}: nothing is changed.${hint}`));
    });
  });
}
