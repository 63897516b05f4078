// The environment of a worker: built from a short list, never inherited. Keys of the server are none of a tool's business.
import { OWN_SECRETS } from '../../kit/own-secrets.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const ALWAYS = /^(?:PATH|HOME|LANG|LC_.*|TZ|TMPDIR)$/;
/** Without these, programs on Windows find neither themselves nor a folder to write in. Names have no case there. */
const ALWAYS_ON_WINDOWS =
  /^(?:PATH|PATHEXT|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|TEMP|TMP|USERPROFILE|APPDATA|LOCALAPPDATA|HOMEDRIVE|HOMEPATH|TZ)$/i;

/** @param names further variables that the operator or the group names */
export function buildEnvironment(
  from: Environment,
  names: readonly string[],
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const always = platform === 'win32' ? ALWAYS_ON_WINDOWS : ALWAYS;
  const built: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    const isAllowed = (always.test(name) || names.includes(name)) && !OWN_SECRETS.has(name);
    if (isAllowed && value !== undefined) built[name] = value;
  }
  return built;
}
