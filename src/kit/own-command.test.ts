// Hints name the command by which the program can be run where it is.
import { expect, it } from 'vitest';
import { ownCommand } from './own-command.ts';

it.each([
  ['/home/me/mochi-server/src/bin.ts', 'npm start -- chat', 'npm start'],
  ['C:\\mochi\\src\\bin.ts', 'npm start -- chat', 'npm start'],
  ['/home/me/app/node_modules/.bin/mochi-server', 'npx mochi-server chat', 'npx mochi-server'],
  ['/home/me/.npm/_npx/1a2b/node_modules/.bin/mochi-server', 'npx mochi-server chat', 'npx mochi-server'],
  ['/usr/local/bin/mochi-server', 'mochi-server chat', 'mochi-server'],
  ['', 'mochi-server chat', 'mochi-server'],
])('run as %j', (script, chat, serve) => {
  expect([ownCommand('chat', script, []), ownCommand('', script, [])]).toEqual([chat, serve]);
});

it('names no port that only the server itself knows', () => {
  const given = ['--port', '0', '--data-dir', 'x'];
  expect(ownCommand('doctor', 'mochi', given)).toBe('mochi-server doctor --data-dir x');
  expect(ownCommand('', 'mochi', given)).toBe('mochi-server --port 0 --data-dir x');
});

it('says again which server was meant', () => {
  const given = ['approvals', '--port', '9000', '--data-dir=/my data', '--log-level', 'debug'];
  expect(ownCommand('approvals show ID', 'mochi', given)).toBe(
    "mochi-server approvals show ID --port 9000 --data-dir '/my data'",
  );
  expect(ownCommand('serve --port 1 --data-dir x', 'mochi', given)).toBe(
    'mochi-server serve --port 1 --data-dir x',
  );
});
