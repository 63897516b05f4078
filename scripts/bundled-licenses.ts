// The licences of what the bundle holds: each package once, with its text as it came.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

/** @param files paths of modules; those outside of packages are ours @throws Error about a package without a licence */
export function licensesOf(files: readonly string[]): string {
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== null));
  const packages = [...folders].map(readPackage).toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const parts = packages.map(
    ({ name, version, license, text }) => `## ${name} - ${version} (${license})\n\n${text.trim()}\n`,
  );
  return `# Licenses\n\nThe server bundles packages with these licenses:\n\n${parts.join('\n')}`;
}

function folderOf(file: string): string | null {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file.replaceAll('\\', '/'))?.[0] ?? null;
}

function readPackage(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(?:\.(?:md|txt))?$/i.test(entry));
  if (typeof license !== 'string') throw new Error(`${name} does not say which licence it has.`);
  // Some say it in their manifest alone.
  const text = file === undefined ? `Licensed under ${license}.` : readFileSync(join(folder, file), 'utf8');
  return { name, version, license, text };
}
