// What a server is started or reached with: its configuration with the variables looked up.
import { posix, resolve, win32 } from 'node:path';
import { workingFolder } from '../../kit/working-folder.ts';
import { buildEnvironment, type Environment } from '../groups/environment.ts';
import { ExpansionFault, expandVariables } from './expand-variables.ts';
import type { McpServerConfig } from './mcp-config.ts';

export interface McpLaunch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Null for a command. */
  readonly url: URL | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LaunchPlan {
  /** Null: it cannot be started. */
  readonly launch: McpLaunch | null;
  /** Why it cannot. */
  readonly fault: string | null;
  /** What may be shown of where it is: the name of the program, or the origin of the address. */
  readonly target: string;
  /** A text without the values that nobody should read. */
  readonly redact: (text: string) => string;
}

export interface LaunchSurroundings {
  readonly environment: Environment;
  /** Names of variables that tools see besides the usual ones. */
  readonly environmentNames: readonly string[];
  readonly workingFolder: string;
}

/** A value of fewer characters is none that anybody keeps secret, and stands in every text. */
const SHORTEST_SECRET = 4;

export function planLaunch(config: McpServerConfig, around: LaunchSurroundings): LaunchPlan {
  const secrets = new Set([...Object.values(config.env), ...Object.values(config.headers)]);
  const expand = (text: string) =>
    expandVariables(text, around.environment, (value) => {
      secrets.add(value);
    });
  const expandAll = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => {
        const value = expand(text);
        secrets.add(value);
        return [name, value];
      }),
    );
  try {
    const isCommand = config.transport === 'stdio';
    const own = buildEnvironment(around.environment, around.environmentNames);
    const launch: McpLaunch = {
      command: expand(config.command),
      args: config.args.map(expand),
      env: { ...own, ...expandAll(config.env) },
      cwd:
        config.cwd === null
          ? workingFolder(around.workingFolder)
          : resolve(around.workingFolder, expand(config.cwd)),
      url: isCommand ? null : toUrl(expand(config.url)),
      headers: expandAll(config.headers),
    };
    for (const secret of secretsOf(launch.url)) secrets.add(secret);
    return { launch, fault: null, target: targetOf(launch), redact: redactor(secrets) };
  } catch (error) {
    if (!(error instanceof ExpansionFault)) throw error;
    const target = config.transport === 'stdio' ? baseName(config.command) : '';
    return { launch: null, fault: error.message, target, redact: redactor(secrets) };
  }
}

/** @throws ExpansionFault */
function toUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ExpansionFault('"url" is no http or https address');
}

/** What may stand in an address besides its place. */
function secretsOf(url: URL | null): readonly string[] {
  if (url === null) return [];
  return [url.href, url.search, url.password, decodeURIComponent(url.password), ...url.searchParams.values()];
}

function targetOf({ command, url }: McpLaunch): string {
  return url === null ? baseName(command) : url.origin;
}

function baseName(command: string): string {
  return win32.basename(posix.basename(command));
}

function redactor(secrets: ReadonlySet<string>): (text: string) => string {
  // The longest first: one may be a part of another.
  const values = [...secrets]
    .filter((value) => value.length >= SHORTEST_SECRET)
    .toSorted((one, other) => other.length - one.length);
  return (text) => values.reduce((rest, value) => rest.replaceAll(value, '***'), text);
}
