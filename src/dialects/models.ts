// Which model a client means, and what there is.
import type { DialectDeps, ModelAlias } from './dialect.ts';

/** What a name stands for here: that of an alias, or itself. */
export function meantModel({ modelAliases }: Pick<DialectDeps, 'modelAliases'>, asked: string): string {
  return modelAliases.find((alias) => fits(alias, asked))?.model ?? asked;
}

function fits({ name }: ModelAlias, asked: string): boolean {
  return name.endsWith('*') ? asked.startsWith(name.slice(0, -1)) : name === asked;
}
