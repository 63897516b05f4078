// Code in colours, as pieces of kinds: what they look like is for whoever shows them.
import { lowlight, type TreeNode } from './highlighter.js';

/** A piece of code: text, or pieces of one kind (`hljs-string`). */
export type ColouredNode = string | { readonly kind: string; readonly children: readonly ColouredNode[] };

export interface Colouring {
  knows(language: string): boolean;
  colour(language: string, code: string): readonly ColouredNode[];
}

/** Longer ones stay plain: colours would take longer than a frame. */
const MAX_LENGTH = 100_000;

export const colouring: Colouring = {
  knows: (language) => lowlight.registered(language),
  colour: (language, code) =>
    code.length > MAX_LENGTH ? [code] : toColoured(lowlight.highlight(language, code).children),
};

function toColoured(nodes: readonly TreeNode[]): ColouredNode[] {
  return nodes.flatMap((node): ColouredNode[] => {
    if (node.type === 'text') return [node.value];
    if (node.type !== 'element') return [];
    const { className } = node.properties;
    const kind = Array.isArray(className) ? className.join(' ') : '';
    return [{ kind, children: toColoured(node.children) }];
  });
}
