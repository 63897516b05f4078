// A conversation as the list of its forks: where it went on in more than one way, and how.
import type { TreeMessage } from '../../src/client/index.ts';

/** One way that was taken at a fork. */
export interface Branch {
  readonly message: TreeMessage;
  /** Forks before it. */
  readonly depth: number;
  /** Messages until it ends, or forks again. */
  readonly length: number;
}

/** @param messages of the whole tree, in the order of their creation */
export function listBranches(messages: readonly TreeMessage[]): Branch[] {
  const byParent = Map.groupBy(messages, ({ parent_id: parent }) => parent);
  const branches: Branch[] = [];
  // A conversation may fork at each of thousands of messages: no recursion.
  const open: { readonly message: TreeMessage; readonly depth: number }[] = [];
  const push = (children: readonly TreeMessage[], depth: number) => {
    for (const message of children.toReversed()) open.push({ message, depth });
  };
  push(byParent.get(null) ?? [], 0);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { message, depth } = next;
    let length = 1;
    let children = byParent.get(message.message_id) ?? [];
    for (let [only] = children; only !== undefined && children.length === 1; [only] = children) {
      length += 1;
      children = byParent.get(only.message_id) ?? [];
    }
    const isOneOfSeveral = (byParent.get(message.parent_id)?.length ?? 0) > 1;
    if (isOneOfSeveral) branches.push({ message, depth, length });
    push(children, isOneOfSeveral ? depth + 1 : depth);
  }
  return branches;
}
