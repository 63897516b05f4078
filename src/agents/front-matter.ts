// The front matter of a SKILL.md: YAML of a plain kind. What is no YAML is read entry by entry, so that one bad line harms
// only itself.
import type { Document } from 'yaml';
import { loadYaml } from '../kit/late-packages.ts';

/** Numbers and booleans are the text as it was written. */
export type FrontValue = string | null | readonly FrontValue[] | ReadonlyMap<string, FrontValue>;

export type FrontMatter =
  | {
      readonly ok: true;
      readonly values: ReadonlyMap<string, FrontValue>;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

const ENTRY = /^([A-Za-z][\w-]*)[ \t]*:[ \t]*(.*)$/;

export function parseFrontMatter(text: string): FrontMatter {
  const document = parse(text);
  if (document.errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) {
    return { ok: false, problem: 'The front matter is nested too deep.' };
  }
  if (hasAliases(document)) return { ok: false, problem: 'The front matter has aliases (*name).' };
  const values = valuesOf(document);
  return values === null ? readEntries(text, faultOf(document)) : { ok: true, values, warnings: [] };
}

function parse(text: string): Document.Parsed {
  return loadYaml().parseDocument(text, { version: '1.2', schema: 'core', logLevel: 'silent' });
}

/** One that stands for nothing is text that begins with a star. */
function hasAliases(document: Document.Parsed): boolean {
  let found = false;
  loadYaml().visit(document, {
    Alias(_key, alias) {
      found ||= alias.resolve(document) !== undefined;
    },
  });
  return found;
}

function faultOf({ errors, warnings }: Document.Parsed): string {
  const [first] = [...errors, ...warnings];
  return first === undefined ? 'no keys with values' : (first.message.split('\n', 1)[0] ?? '').slice(0, 200);
}

/** Null: it is not what it has to be. */
function valuesOf(document: Document.Parsed): ReadonlyMap<string, FrontValue> | null {
  const { contents, errors, warnings } = document;
  if (errors.length > 0 || warnings.length > 0) return null;
  if (contents === null) return new Map();
  const { isAlias, isMap, visit } = loadYaml();
  let isPlain = isMap(contents);
  visit(document, {
    Node(_key, node) {
      if (isAlias(node) || node.tag !== undefined) isPlain = false;
    },
  });
  const values = isPlain ? valueOf(contents) : null;
  return values instanceof Map ? values : null;
}

function valueOf(node: unknown): FrontValue {
  const { isMap, isScalar, isSeq } = loadYaml();
  if (isScalar(node)) {
    if (node.value === null) return null;
    return typeof node.value === 'string' ? node.value : (node.source ?? '');
  }
  if (isSeq(node)) return node.items.map(valueOf);
  if (!isMap(node)) return null;
  return new Map(node.items.map(({ key, value }) => [keyText(key), valueOf(value)]));
}

function keyText(key: unknown): string {
  const value = valueOf(key);
  return typeof value === 'string' ? value : '';
}

interface Entry {
  readonly key: string;
  readonly text: string;
  readonly lines: string[];
}

function readEntries(text: string, fault: string): FrontMatter {
  const warnings = [`The front matter is no YAML (${fault}): it was read line by line.`];
  const entries: Entry[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [, key, rest = ''] = ENTRY.exec(line) ?? [];
    const last = entries.at(-1);
    if (key !== undefined) entries.push({ key, text: rest, lines: [line] });
    else if (last !== undefined && /^\s/.test(line)) last.lines.push(line);
    else if (!/^\s*(#|$)/.test(line)) warnings.push(`Line ${index + 2} of SKILL.md is not used.`);
  }
  const values = new Map<string, FrontValue>();
  for (const entry of entries) {
    if (values.has(entry.key)) warnings.push(`${entry.key} is there more than once: the first counts.`);
    else values.set(entry.key, readEntry(entry));
  }
  return { ok: true, values, warnings };
}

/** As YAML where it is, by itself; as text otherwise. */
function readEntry({ key, text, lines: [, ...more], lines }: Entry): FrontValue {
  const value = valuesOf(parse(lines.join('\n')))?.get(key);
  return (
    value ??
    [text, ...more]
      .map((line) => line.trim())
      .join(' ')
      .trim()
  );
}
