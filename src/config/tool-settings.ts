// The settings of tools: a part of the one table.
import {
  boolean,
  command,
  directory,
  file,
  hostsAndNetworks,
  seconds,
  secondsOrNever,
  toolNames,
  variableNames,
  wholeNumber,
} from './parsers.ts';
import type { Setting } from './setting.ts';

export interface ToolConfig {
  /** Absolute. */
  readonly toolsDir: string;
  /** Absolute. */
  readonly toolPolicy: string;
  /** Absolute. */
  readonly mcpConfig: string;
  /** A command, or the path of one. */
  readonly python: string;
  /** Names of variables. */
  readonly toolEnv: readonly string[];
  readonly builtinTools: readonly string[];
  /** Absolute; null: none. */
  readonly filesDir: string | null;
  /** Host names in lower case, addresses, CIDRs. */
  readonly fetchAllow: readonly string[];
  readonly toolTimeoutSeconds: number;
  readonly toolMaxOutputBytes: number;
  /** Characters. */
  readonly toolResultChars: number;
  readonly toolMemoryMb: number;
  readonly maxToolProcesses: number;
  readonly maxParallelTools: number;
  readonly toolCallRescue: boolean;
  /** 0: for as long as it takes. */
  readonly confirmTimeoutSeconds: number;
}

export const toolSettings: { readonly [Key in keyof ToolConfig]: Setting<ToolConfig[Key]> } = {
  toolsDir: {
    parser: directory,
    default: 'tools',
    description:
      'Directory of the tools: a folder for each group of them, inside the data directory unless absolute',
  },
  toolPolicy: {
    parser: file,
    default: 'tool-policy.json',
    description:
      'File with the rules for tools that bind every client (allow, ask, deny), inside the data directory unless absolute',
  },
  mcpConfig: {
    parser: file,
    default: 'mcp.json',
    description:
      'File that names the MCP servers whose tools there are, inside the data directory unless absolute',
  },
  python: {
    parser: command,
    default: 'python3',
    description: 'Command that runs tools written in Python (3.9 or later)',
  },
  toolEnv: {
    parser: variableNames,
    default: [],
    description:
      'Variables that tools see besides PATH, HOME and the like, as a comma list of names; a group can name its own',
  },
  builtinTools: {
    parser: toolNames,
    default: [],
    description:
      'Tools of the server itself that sessions may offer, as a comma list: current_time, calculator, list_folder, read_text_file, write_text_file, fetch_url, read_tool_output',
  },
  filesDir: {
    parser: directory,
    default: null,
    description:
      'The one folder that list_folder, read_text_file and write_text_file may see, inside the data directory unless absolute; without it they are not available',
  },
  fetchAllow: {
    parser: hostsAndNetworks,
    default: [],
    description:
      'What fetch_url may reach although it is not on the public Internet, as a comma list of host names, addresses and CIDRs',
  },
  toolTimeoutSeconds: {
    parser: seconds(86_400),
    default: 60,
    description: 'Longest run of a tool, unless its group or the tool itself says otherwise',
  },
  toolMaxOutputBytes: {
    parser: wholeNumber(1024, 64 * 1024 ** 2),
    default: 1024 ** 2,
    description: 'Largest result of a tool; of a longer one, begin and end are kept',
  },
  toolResultChars: {
    parser: wholeNumber(500, 10_000_000),
    default: 16_000,
    description: 'Characters of a result that a model reads; of a longer one, begin and end',
  },
  toolMemoryMb: {
    parser: wholeNumber(128, 1024 ** 2),
    default: 512,
    description: 'Memory in megabytes that a process of tools may take, unless its group says otherwise',
  },
  maxToolProcesses: {
    parser: wholeNumber(1, 1000),
    default: 16,
    description: 'Processes of tools at once, over all groups; further calls wait for one',
  },
  maxParallelTools: {
    parser: wholeNumber(1, 128),
    default: 4,
    description: 'Calls of one message that run at once, where all of them only read',
  },
  toolCallRescue: {
    parser: boolean,
    default: true,
    description:
      'Take an answer that is nothing but calls of offered tools, written as text, for those calls',
  },
  confirmTimeoutSeconds: {
    parser: secondsOrNever(31_536_000),
    default: 0,
    description: 'How long a call waits for an approval; then it counts as not approved (0: no limit)',
  },
};
