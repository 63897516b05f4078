// `read_text_file`: a piece of a file at a time, so that a long one can be read on.
import { BuiltinFault, type BuiltinTool } from '../builtin-tool.ts';
import { fileFault } from './file-fault.ts';
import { type FilesOptions, filesProblem, findPlace, PATH_SCHEMA } from './files-folder.ts';
import { holdFolder, openFile } from './held-folder.ts';
import { readLines } from './read-lines.ts';

/** Said behind a piece; with it, a piece is not cut once more. */
const NOTE_LENGTH = 200;

export function readTextFile(
  options: FilesOptions & {
    /** Characters of a result that a model reads. */
    readonly toolResultChars: number;
  },
): BuiltinTool {
  return {
    description: 'Read a text file, a long one in pieces.',
    inputSchema: {
      type: 'object',
      properties: {
        path: PATH_SCHEMA,
        offset: { type: 'integer', minimum: 1, description: 'Line to begin with; the first is 1' },
        limit: { type: 'integer', minimum: 1, description: 'Lines to read' },
      },
      required: ['path'],
      additionalProperties: false,
    },
    readOnly: true,
    problem: filesProblem(options),
    async run({ path: given, offset, limit }, { signal }) {
      const path = String(given);
      try {
        return await read(path, options, {
          first: Number(offset ?? 1),
          most: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit),
          maxLength: options.toolResultChars - NOTE_LENGTH,
          signal,
        });
      } catch (error) {
        throw fileFault(error, path);
      }
    },
  };
}

async function read(
  path: string,
  options: FilesOptions,
  wanted: Parameters<typeof readLines>[1],
): Promise<string> {
  const { root, names } = await findPlace(path, options);
  const name = names.at(-1);
  if (name === undefined) throw new BuiltinFault(`'${path}' is a folder.`);
  const folder = await holdFolder({ root, names: names.slice(0, -1) });
  try {
    const file = await openFile(folder.at(name));
    try {
      const found = await file.stat();
      if (found.isDirectory())
        throw new BuiltinFault(`'${path}' is a folder: list_folder shows what is in it.`);
      if (!found.isFile()) throw new BuiltinFault(`'${path}' is no file.`);
      return await readLines(file, wanted);
    } finally {
      await file.close();
    }
  } finally {
    await folder.close();
  }
}
