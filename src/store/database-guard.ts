// Whether the database is still where it was opened. A file that is removed or replaced stays open and takes
// whatever is written, until the process ends and all of it is gone: nothing more may be acknowledged then.
import type { Stats } from 'node:fs';
import SqliteDriver from 'better-sqlite3';
import { MochiError } from '../contract/errors.ts';
import { filesOf, lookAt } from './database-files.ts';

export type DatabaseLoss = 'removed' | 'replaced' | 'truncated';

export class DatabaseGuard {
  readonly #main: string;
  readonly #opened: readonly { readonly path: string; readonly found: Stats | null }[];
  #size: number;
  #isTruncated = false;
  #isRewritten = false;
  #rewrites = 0;

  /** @param file of a database that this process has open, with its log */
  constructor(file: string) {
    const { main, log, index } = filesOf(file);
    this.#main = main;
    this.#opened = [main, log, index].map((path) => ({ path, found: lookAt(path) }));
    this.#size = lookAt(main)?.size ?? 0;
  }

  /** Looks now: three times at the names of files. Null while all is well, also again. */
  look(): DatabaseLoss | null {
    for (const { path, found } of this.#opened) {
      const now = lookAt(path);
      if (now === null) return 'removed';
      if (found === null || now.ino !== found.ino || now.dev !== found.dev) return 'replaced';
      if (path === this.#main) this.#noteSize(now.size);
    }
    return this.#isTruncated ? 'truncated' : null;
  }

  /** @throws MochiError storage_lost */
  refuseLoss(): void {
    const loss = this.look();
    if (loss !== null) throw storageLost(loss);
  }

  /** Another number when one has begun or ended since. */
  get rewrites(): number {
    return this.#rewrites;
  }

  /** The file may become smaller meanwhile. */
  async whileRewritten(action: () => Promise<void>): Promise<void> {
    this.#isRewritten = true;
    this.#rewrites += 1;
    try {
      await action();
    } finally {
      this.#size = lookAt(this.#main)?.size ?? 0;
      this.#isRewritten = false;
      this.#rewrites += 1;
    }
  }

  #noteSize(size: number): void {
    if (size < this.#size && size > 0 && this.#isRewritten) return;
    if (size < this.#size && !this.#isTruncated) this.#isTruncated = !isWhole(this.#main, size);
    this.#size = size;
  }
}

/** A file that became smaller: somebody may have run VACUUM, and then it says so itself. */
function isWhole(file: string, size: number): boolean {
  if (size === 0) return false;
  const driver = new SqliteDriver(file, { readonly: true, timeout: 0 });
  try {
    driver.exec('begin');
    driver.prepare('select count(*) from sqlite_schema').get();
    const pages = Number(driver.pragma('page_count', { simple: true }));
    return pages * Number(driver.pragma('page_size', { simple: true })) <= size;
  } catch {
    return false;
  } finally {
    driver.close();
  }
}

function storageLost(loss: DatabaseLoss): MochiError {
  return new MochiError(
    'storage_lost',
    `The database of this server was ${loss} while it ran. Nothing is stored or changed any more: ` +
      'put it back and start the server again. The log says where it was, and what was saved of it.',
    { reason: loss },
  );
}
