// `write_text_file`
import { lstat } from 'node:fs/promises';
import { writeAtomically } from '../../../kit/atomic-file.ts';
import { BuiltinFault, type BuiltinTool } from '../builtin-tool.ts';
import { fileFault, isMissing } from './file-fault.ts';
import { type FilesOptions, filesProblem, findPlace, PATH_SCHEMA } from './files-folder.ts';
import { holdFolder } from './held-folder.ts';

export function writeTextFile(options: FilesOptions): BuiltinTool {
  return {
    description: 'Write a text file. A file that is there already is replaced as a whole.',
    inputSchema: {
      type: 'object',
      properties: { path: PATH_SCHEMA, content: { type: 'string', description: 'The whole text' } },
      required: ['path', 'content'],
      additionalProperties: false,
    },
    readOnly: false,
    problem: filesProblem(options),
    async run(args) {
      const path = String(args['path']);
      try {
        return await write(path, String(args['content']), options);
      } catch (error) {
        throw fileFault(error, path);
      }
    },
  };
}

async function write(path: string, content: string, options: FilesOptions): Promise<string> {
  const { root, names, shown } = await findPlace(path, options);
  const name = names.at(-1);
  if (name === undefined || /[/\\]$/.test(path)) throw new BuiltinFault(`'${path}' is a folder.`);
  const folder = await holdFolder({ root, names: names.slice(0, -1) }, { create: true });
  try {
    const place = folder.at(name);
    if (!(await mayBeReplaced(place))) throw new BuiltinFault(`'${path}' is no file.`);
    const bytes = Buffer.from(content.toWellFormed());
    await writeAtomically(place, 'replace', (file) => file.writeFile(bytes));
    return `Wrote ${bytes.length} bytes to ${shown}`;
  } finally {
    await folder.close();
  }
}

async function mayBeReplaced(place: string): Promise<boolean> {
  try {
    return (await lstat(place)).isFile();
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}
