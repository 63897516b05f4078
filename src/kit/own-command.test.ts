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
  expect([ownCommand('chat', script), ownCommand('', script)]).toEqual([chat, serve]);
});
