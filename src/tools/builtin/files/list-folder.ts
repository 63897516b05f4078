// `list_folder`
import { type Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import type { BuiltinTool } from '../builtin-tool.ts';
import { fileFault } from './file-fault.ts';
import { type FilesOptions, filesProblem, findPlace, PATH_SCHEMA } from './files-folder.ts';
import { type HeldFolder, holdFolder } from './held-folder.ts';

/** A model reads no longer list, and nobody waits for one. */
const MAX_ENTRIES = 1000;

export function listFolder(options: FilesOptions): BuiltinTool {
  return {
    description: 'List the files and folders in a folder.',
    inputSchema: {
      type: 'object',
      properties: {
        path: {
          ...PATH_SCHEMA,
          description: "From the folder for files on, such as notes; '.' is the folder itself",
        },
      },
      required: ['path'],
      additionalProperties: false,
    },
    readOnly: true,
    problem: filesProblem(options),
    async run(args, { signal }) {
      const path = String(args['path']);
      try {
        const place = await findPlace(path, options);
        const folder = await holdFolder(place);
        try {
          return await listText(folder, place.shown, signal);
        } finally {
          await folder.close();
        }
      } catch (error) {
        throw fileFault(error, path);
      }
    },
  };
}

async function listText(folder: HeldFolder, shown: string, signal: AbortSignal): Promise<string> {
  const found: Dirent[] = [];
  let isWhole = true;
  for await (const entry of await opendir(folder.at('.'))) {
    signal.throwIfAborted();
    isWhole = found.length < MAX_ENTRIES;
    if (!isWhole) break;
    found.push(entry);
  }
  if (found.length === 0) return `'${shown}' is empty.`;
  const lines = await Promise.all(found.map((entry) => lineOf(entry, folder)));
  const more = isWhole ? [] : [`[only ${MAX_ENTRIES} are listed; there are more]`];
  return [...lines.toSorted(), ...more].join('\n');
}

async function lineOf(entry: Dirent, folder: HeldFolder): Promise<string> {
  // A line break in a name would look like another entry.
  const name = entry.name.replace(/\p{Cc}/gu, '?');
  if (entry.isDirectory()) return `${name}/`;
  if (entry.isSymbolicLink()) return `${name} (link)`;
  if (!entry.isFile()) return `${name} (no file)`;
  const size = await lstat(folder.at(entry.name)).then(
    (stat) => stat.size,
    () => null,
  );
  return size === null ? name : `${name} (${size} bytes)`;
}
