// What the file system says, in words that a model can use.
import { BuiltinFault } from '../builtin-tool.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there: a part of the path is no folder',
  EISDIR: 'is a folder',
  EACCES: 'may not be opened',
  EPERM: 'may not be opened',
  ELOOP: 'is a link, or one that leads in a circle',
  ENAMETOOLONG: 'has a name that is too long',
  ENOSPC: 'was not written: the disk is full',
  EDQUOT: 'was not written: the disk is full',
  EROFS: 'was not written: the disk can only be read',
};

/** @param path as the model wrote it */
export function fileFault(error: unknown, path: string): BuiltinFault {
  if (error instanceof BuiltinFault) return error;
  const code = codeOf(error);
  return new BuiltinFault(`'${path}' ${WORDS[code] ?? `cannot be used (${code})`}.`);
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
