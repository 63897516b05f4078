// `npm run test:postgres`: what the API and the store promise, with PostgreSQL underneath.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** About SQLite itself: its files, its locks, its disk, its statements, and commands that open its file. */
const OF_SQLITE = [
  'test/api/damaged-rows.test.ts',
  'test/api/database-busy.test.ts',
  'test/api/durable.test.ts',
  'test/api/system-prompt-files.test.ts',
  'test/api/turn-costs.test.ts',
];

/** The same, of single tests. */
const LEFT_OUT = [
  // Plans and the schema of SQLite, one of its older databases, and what it has committed at one moment.
  'one index range, and nothing is sorted',
  'a key that began a chat is looked up among those of runs',
  'comes along: its sessions are chats',
  'is indexed at the start, messages and titles',
  'takes large agent chats away in slices, none of them larger',
  'every column of the database has a place, or a reason',
  'no other table belongs to a session, but the index',
  // A server hears of what others write from them, not from the file.
  'says reset when another process has written',
  // They look into the folder of system prompt files.
  'leads outside or nowhere: not listed',
  'a link to a file inside is read',
  'a write to a file with a second name elsewhere',
  'in another Unicode form mean the same file',
  'both there already are both read and written',
  'readers see one whole text or another',
  // Fifty readers of megabytes wait for few connections, longer than it does.
  'fifty that do not read hold a piece each',
];

export default defineConfig({
  test: {
    ...base.test,
    include: [
      'test/api/**/*.test.ts',
      'test/turns/**/*.test.ts',
      'test/dialects/same-name.test.ts',
      'test/postgres/*.postgres.ts',
      'src/store/{active-path,agent-chats,messages,prepared,unlisted-sessions}.test.ts',
    ],
    exclude: OF_SQLITE,
    testNamePattern: new RegExp(`^(?!.*(?:${LEFT_OUT.map(RegExp.escape).join('|')}))`),
    globalSetup: ['test/support/build.ts', 'test/support/postgres-template.ts'],
  },
});
