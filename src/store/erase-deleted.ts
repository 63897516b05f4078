// A process of its own, beside the server: takes the last traces of deleted text out of the database. What was
// deleted is overwritten at once where it lay, but words of it stay in the search index until that is merged, and
// copies of rows stay in the gaps of pages that were balanced: only a rewritten file has none.
import { setTimeout } from 'node:timers/promises';
import SqliteDriver from 'better-sqlite3';

/** Pages of the index that one step writes at most: whoever wants to write waits no longer than for one. */
const STEP_PAGES = 64;
const REST_MS = 10;
/** A larger file is not rewritten: that would take too long, and too much of the disk. */
const MAX_REWRITTEN_BYTES = 256 * 1024 * 1024;

const [file = '', mark = ''] = process.argv.slice(2);
const driver = new SqliteDriver(file, { fileMustExist: true, timeout: 1000 });
driver.pragma('secure_delete = ON');
try {
  await mergeIndex();
  emptyLog();
  if (sizeOf() <= MAX_REWRITTEN_BYTES) {
    // From here on it holds everybody up who wants to write, and can be killed for that.
    process.send?.('rewriting');
    driver.exec('vacuum');
  }
  emptyLog();
  driver.prepare('delete from meta where key = ? and value = ?').run('erase_due', mark);
} finally {
  driver.close();
}
process.disconnect?.();

async function mergeIndex(): Promise<void> {
  const merge = driver.prepare("insert into search_index (search_index, rank) values ('merge', ?)");
  const changes = driver.prepare('select total_changes()').pluck();
  // A negative number begins to merge all into one, the others go on. https://sqlite.org/fts5.html#the_merge_command
  merge.run(-STEP_PAGES);
  for (;;) {
    const before = Number(changes.get());
    merge.run(STEP_PAGES);
    if (Number(changes.get()) - before < 2) return;
    await setTimeout(REST_MS);
  }
}

/** @throws Error while somebody reads what is only in the log: then the text is still there */
function emptyLog(): void {
  const isBusy = driver.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) !== 0;
  if (isBusy) throw new Error('somebody reads from the log');
}

function sizeOf(): number {
  return (
    Number(driver.pragma('page_count', { simple: true })) *
    Number(driver.pragma('page_size', { simple: true }))
  );
}
