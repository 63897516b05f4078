// Fetches the native binding through npm into the data folder: pinned, verified, whole or not at all.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { arch, platform } from 'node:process';
import type { PullProgress } from '../../contract/engine.ts';
import { MochiError } from '../../contract/errors.ts';
import { makePrivateFolder } from '../../kit/private-files.ts';
import { watchFilling } from './filling-folder.ts';
import { BINDING_PACKAGE, engineFolder, inFolder } from './find-binding.ts';
import { runCommand } from './run-command.ts';

const BINDING_VERSION = '3.21.1';
/** What it takes on disk, a little more or less by platform. */
const BINDING_BYTES = 80_000_000;
const BINDING_INTEGRITY =
  'sha512-E3N0Ev2Va0wzydvXYFwM9Hvyo07PoWjt8T/9GMc43Cvt8YkV/NU/tYUgEMC1grTPv2o9PRjQi0G3Wb5P/awiMg==';

/** The binaries without GPU, by platform: a plain install of the binding brings 700 MB for all of them. */
const PLATFORMS: Readonly<Record<string, { readonly name: string; readonly integrity: string }>> = {
  'linux x64': {
    name: 'linux-x64',
    integrity:
      'sha512-Totj6RTDMGo3FoK2yNUaz/oGmZD0olAqTrRluFUWmu0kW2i9TOzHSW0OWCAiGkzRCVX0WsU2CyUQo/W2NYtdPA==',
  },
  'linux arm64': {
    name: 'linux-arm64',
    integrity:
      'sha512-eI3anSEGzJiwF2rpMpZVTdHzw47LztbvfvuRzlu/fPO18ROnBOd+75RPUBlV6qENPpmNtbov85+3VODwEwBurg==',
  },
  'darwin arm64': {
    name: 'mac-arm64-metal',
    integrity:
      'sha512-6MIDAZV7DXD9R1+jEXWJkFuolni3GATGE6mmuyFYc6ZmtOh9djAy15df0T0AXK3sCmVKL+fQcOAWZezxx4MvQQ==',
  },
  'darwin x64': {
    name: 'mac-x64',
    integrity:
      'sha512-Q4nyNmbcNiKygBZQZjX+qLk2w3YzoiFpLWsxNURQN7xjyUi2p2rWxjRa7Otg0FrjGf/ri4aQ+X3Uj5Y0zD06eg==',
  },
  'win32 x64': {
    name: 'win-x64',
    integrity:
      'sha512-JcIpCnra7bAd7JNWA8ehdn2DIRaTMuj+fBC8bw+5rKSNzszWFbuj2XA05c5QHovonDMBLN1ePXE/hcfZtzXoUQ==',
  },
  'win32 arm64': {
    name: 'win-arm64',
    integrity:
      'sha512-/UDR7Y0B8iKfc/tqxBmWkcgRdZQ9Wrkwod7fYl4J6iZXcTIj286RkHvZSED7VMY67TrcUXVvxJVMNFtmjeYnDg==',
  },
};

/** What a user can do by hand, in the folder of the data; null where no binary exists for this machine. */
export function installCommand(dataDir: string): string | null {
  const packages = packagesFor();
  return packages && `npm install --omit=optional --prefix ${engineFolder(dataDir)} ${packages.join(' ')}`;
}

function packagesFor(): readonly string[] | null {
  const binary = PLATFORMS[`${platform} ${arch}`];
  if (binary === undefined) return null;
  return [`${BINDING_PACKAGE}@${BINDING_VERSION}`, `@node-llama-cpp/${binary.name}@${BINDING_VERSION}`];
}

/** @throws MochiError engine_not_ready, with the ways out */
export async function* installBinding(
  dataDir: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, void> {
  const packages = packagesFor();
  if (packages === null) throw failed(`There are no binaries for ${platform} on ${arch}.`);
  const target = engineFolder(dataDir);
  makePrivateFolder(dirname(target));
  // Beside its place, so that it can be moved there in one step.
  const folder = await mkdtemp(`${target}-`);
  try {
    await writeFile(join(folder, 'package.json'), '{"private":true}\n');
    const args = [
      'install',
      '--omit=optional',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const filling = {
      status: `fetching the embedded engine (node-llama-cpp ${BINDING_VERSION}, about 80 MB) through npm`,
      folder,
      total: BINDING_BYTES,
      run: (stop: AbortSignal) => runCommand('npm', [...args, ...packages], { cwd: folder, signal: stop }),
    };
    const end = yield* watchFilling(filling, signal);
    if (end.status !== 0) throw failed(`npm could not fetch it: ${end.lastWords}`);
    await verify(folder);
    await rm(target, { recursive: true, force: true });
    await rename(folder, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if ((await inFolder(target)) === null) throw failed('npm ended well, but the package is not there.');
}

/** npm holds what it fetched against the registry's sums; these must be the ones that this version was tried with. */
async function verify(folder: string): Promise<void> {
  const lock: unknown = JSON.parse(await readFile(join(folder, 'package-lock.json'), 'utf8'));
  const binary = PLATFORMS[`${platform} ${arch}`];
  const expected: readonly (readonly [string, string | undefined])[] = [
    [BINDING_PACKAGE, BINDING_INTEGRITY],
    [`@node-llama-cpp/${binary?.name}`, binary?.integrity],
  ];
  const packages = Object(Object(lock).packages);
  for (const [name, integrity] of expected) {
    const found: unknown = Object(packages[`node_modules/${name}`]).integrity;
    if (found !== integrity) throw failed(`What npm fetched as ${name} is not what was expected.`);
  }
}

function failed(reason: string): MochiError {
  return new MochiError('engine_not_ready', `The embedded engine could not be fetched. ${reason}`);
}
