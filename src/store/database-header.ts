// What the first bytes of a database file say. https://sqlite.org/fileformat.html#the_database_header
import { closeSync, openSync, readSync } from 'node:fs';

export interface DatabaseHeader {
  /** Whether it is used with a write-ahead log. */
  readonly hasLog: boolean;
}

/** Only where no connection of this process has it open: closing the file takes SQLite's locks away. @returns null for no database */
export function readHeader(path: string): DatabaseHeader | null {
  const bytes = Buffer.alloc(20);
  const file = openSync(path, 'r');
  try {
    readSync(file, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(file);
  }
  if (bytes.toString('latin1', 0, 16) !== 'SQLite format 3\0') return null;
  return { hasLog: bytes[19] === 2 };
}
