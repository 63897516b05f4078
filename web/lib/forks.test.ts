import { expect, it } from 'vitest';
import type { TreeMessage } from '../../src/client/index.ts';
import { listBranches } from './forks.ts';

/** `child<parent`, one after the other. */
function tree(...links: string[]): TreeMessage[] {
  return links.map((link) => {
    const [id, parent = null] = link.split('<');
    return { message_id: id, parent_id: parent } as TreeMessage;
  });
}

const shown = (messages: TreeMessage[]) =>
  listBranches(messages).map(
    ({ message, depth, length }) => `${' '.repeat(depth)}${message.message_id} ${length}`,
  );

it('a conversation without forks has no branches', () => {
  expect(shown([])).toEqual([]);
  expect(shown(tree('a', 'b<a', 'c<b'))).toEqual([]);
});

it('each fork lists its ways, those inside of a way below it', () => {
  expect(shown(tree('a', 'b<a', 'c<a', 'd<b', 'e<c', 'f<e', 'g<e', 'h<g'))).toEqual([
    'b 2',
    'c 2',
    ' f 1',
    ' g 2',
  ]);
});

it('a first message that was edited is a fork, too', () => {
  expect(shown(tree('a', 'b<a', 'z', 'y<z', 'x<z'))).toEqual(['a 2', 'z 1', ' y 1', ' x 1']);
});

it('is as deep as it likes', () => {
  const links = Array.from({ length: 20_000 }, (_, at) => [`l${at + 1}<l${at}`, `r${at + 1}<l${at}`]).flat();
  expect(listBranches(tree('l0', ...links))).toHaveLength(40_000);
});
