// Code in colours: fetched with the first block of code that names its language.
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import lua from 'highlight.js/lib/languages/lua';
import makefile from 'highlight.js/lib/languages/makefile';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import { createLowlight } from 'lowlight';

/** A piece of code: text, or pieces of one kind (`hljs-string`). */
export type ColouredNode = string | { readonly kind: string; readonly children: readonly ColouredNode[] };

export interface Colouring {
  knows(language: string): boolean;
  colour(language: string, code: string): readonly ColouredNode[];
}

const lowlight = createLowlight({
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  dockerfile,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  lua,
  makefile,
  markdown,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
});
lowlight.registerAlias({ bash: ['shell', 'console'], javascript: ['node'], json: ['jsonl', 'jsonc'] });

/** Longer ones stay plain: colours would take longer than a frame. */
const MAX_LENGTH = 100_000;

export const colouring: Colouring = {
  knows: (language) => lowlight.registered(language),
  colour: (language, code) =>
    code.length > MAX_LENGTH ? [code] : toColoured(lowlight.highlight(language, code).children),
};

type Tree = ReturnType<typeof lowlight.highlight>['children'];

function toColoured(nodes: Tree): ColouredNode[] {
  return nodes.flatMap((node): ColouredNode[] => {
    if (node.type === 'text') return [node.value];
    if (node.type !== 'element') return [];
    const { className } = node.properties;
    const kind = Array.isArray(className) ? className.join(' ') : '';
    return [{ kind, children: toColoured(node.children) }];
  });
}
