// The tools that come with the server, each off until the operator names it; what is not named is not even loaded.
import { ToolConfigError } from '../policy/tool-policy.ts';
import type { ToolSource } from '../tool.ts';
import { type BuiltinTool, createBuiltinSource } from './builtin-tool.ts';
import type { ReadOutput } from './read-tool-output.ts';

export interface ShippedOptions {
  /** Names, as the operator gave them. */
  readonly builtinTools: readonly string[];
  /** Absolute; null: the tools for files are not available. */
  readonly filesDir: string | null;
  /** Absolute: what is the server's own stays out of reach of the tools for files. */
  readonly dataDir: string;
  /** Files and folders of the operator besides, absolute. */
  readonly ownPaths: readonly string[];
  /** Hosts, addresses and CIDRs that `fetch_url` may reach although they are not public. */
  readonly fetchAllow: readonly string[];
  readonly version: string;
  /** Characters of a result that a model reads. */
  readonly toolResultChars: number;
  /** Missing: there are no sessions. */
  readonly readOutput?: ReadOutput | undefined;
  readonly toolTimeoutSeconds: number;
  readonly toolMaxOutputBytes: number;
}

/** Where the operator names them. */
export const BUILTIN_SETTING = 'MOCHI_BUILTIN_TOOLS';

const TOOLS: Readonly<Record<string, (options: ShippedOptions) => Promise<BuiltinTool>>> = {
  async current_time() {
    return (await import('./current-time.ts')).currentTime;
  },
  async calculator() {
    return (await import('./calculator/calculator.ts')).calculator;
  },
  async read_tool_output(options) {
    return (await import('./read-tool-output.ts')).readToolOutput(options);
  },
  async list_folder(options) {
    return (await import('./files/list-folder.ts')).listFolder(options);
  },
  async read_text_file(options) {
    return (await import('./files/read-text-file.ts')).readTextFile(options);
  },
  async write_text_file(options) {
    return (await import('./files/write-text-file.ts')).writeTextFile(options);
  },
  async fetch_url(options) {
    return (await import('./fetch/fetch-url.ts')).fetchUrl(options);
  },
};

/** @throws ToolConfigError for names that there are not, all at once */
export async function openShippedTools(options: ShippedOptions): Promise<readonly ToolSource[]> {
  const names = [...new Set(options.builtinTools)];
  const unknown = names.filter((name) => !Object.hasOwn(TOOLS, name));
  if (unknown.length > 0) {
    const problems = unknown.map(
      (name) =>
        `${BUILTIN_SETTING} (--builtin-tools) names ${name}, and there is no such tool. There are: ${Object.keys(TOOLS).join(', ')}.`,
    );
    throw new ToolConfigError(problems, BUILTIN_SETTING);
  }
  const limits = {
    timeoutMs: options.toolTimeoutSeconds * 1000,
    maxOutputBytes: options.toolMaxOutputBytes,
  };
  return Promise.all(
    names.map(async (name) => {
      const open = TOOLS[name];
      if (open === undefined) throw new Error(`no tool ${name}`);
      return createBuiltinSource(name, await open(options), limits);
    }),
  );
}
