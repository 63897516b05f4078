// A thread of the server: moves the write-ahead log into the database whenever it is told to, on a connection of its
// own, so that nobody else waits for the disk. https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
import { parentPort, workerData } from 'node:worker_threads';
import SqliteDriver from 'better-sqlite3';
import { type LogFill, readFill } from './write-log.ts';

export type MoveOutcome = LogFill | { readonly failure: string };

export type MoveWay = 'passive' | 'restart';

/** How long a restart waits for those who read from the log. Nothing is written meanwhile. */
const READERS_MS = 100;

const driver = new SqliteDriver(String(workerData), { fileMustExist: true, timeout: READERS_MS });
// What is moved is on the disk before the log begins anew.
driver.pragma('synchronous = FULL');
driver.pragma('wal_autocheckpoint = 0');
// Before it has read something it does not know that there is a log.
driver.prepare('select count(*) from sqlite_schema').get();

parentPort?.on('message', (message: MoveWay | 'close') => {
  if (message === 'close') {
    driver.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(move(message), []);
});

function move(way: MoveWay): MoveOutcome {
  try {
    return readFill(driver, way);
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
