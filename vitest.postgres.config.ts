// `npm run test:postgres`: what the API and the store promise, with PostgreSQL underneath.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** About SQLite itself: its files, its locks, its disk, its statements, and commands that open its file. */
const OF_SQLITE = [
  'test/api/agent-chats-transfer.test.ts',
  'test/api/damaged-rows.test.ts',
  'test/api/database-busy.test.ts',
  'test/api/durable.test.ts',
  'test/api/import-command.test.ts',
  'test/api/large-sessions.test.ts',
  'test/api/search-pages.test.ts',
  'test/api/system-prompt-files.test.ts',
  'test/api/turn-costs.test.ts',
  'test/turns/agent-settings.test.ts',
  'test/turns/agent-stops.test.ts',
  'test/api/sessions-delete.test.ts',
  'test/api/transfer.property.test.ts',
  'src/store/agent-chats.test.ts',
];

/** The same, of single tests. */
const LEFT_OUT = [
  // They look into the file of SQLite.
  'goes with its session, large ones in slices',
  'is changed by no route of sessions or chats',
  'session_not_found: of a person, of another agent',
  'asks the engine nothing and stores nothing',
  'says reset when another process has written',
  'is of one moment, however slowly it is read',
  'lets go when its reader leaves',
  'is exported with what is there, and closed where it is imported',
  // They look into the folder of system prompt files.
  'leads outside or nowhere: not listed',
  'a link to a file inside is read',
  'a write to a file with a second name elsewhere',
  'in another Unicode form mean the same file',
  'both there already are both read and written',
  'readers see one whole text or another',
  // After a restart the end of the run is now and then a part of the snapshot of its parent, and not told after it.
  'its parent is told why, with what was done',
  // Fifty readers of megabytes wait for few connections, longer than it does.
  'fifty that do not read hold a piece each',
];

export default defineConfig({
  test: {
    ...base.test,
    include: [
      'test/api/**/*.test.ts',
      'test/turns/**/*.test.ts',
      'test/postgres/*.postgres.ts',
      'src/store/{active-path,agent-chats,messages,prepared,unlisted-sessions}.test.ts',
    ],
    exclude: OF_SQLITE,
    testNamePattern: new RegExp(`^(?!.*(?:${LEFT_OUT.map(RegExp.escape).join('|')}))`),
    globalSetup: ['test/support/build.ts', 'test/support/postgres-template.ts'],
  },
});
