// What a start says of its engine: which one it is, and a first thing to try.

import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../contract/engine.ts';
import { DEFAULT_MODEL, isToy, TOY_WARNING } from '../engines/embedded/catalogue.ts';
import { ownCommand } from '../kit/own-command.ts';
import { redactUrl } from '../kit/redact-url.ts';
import { reachableUrl } from './server-client.ts';

export interface ReadyLines {
  readonly name: string;
  /** Whole lines. */
  readonly firstSteps: string;
}

/** @param url where the server listens */
export async function describeEngine(engine: Engine, config: Config, url: string): Promise<ReadyLines> {
  const talk = talkLines(config, Number(new URL(url).port));
  if (engine.name === 'ollama') return { name: `Ollama: ${redactUrl(config.ollamaHost)}`, firstSteps: talk };
  const { reachable } = await engine.health();
  const [model] = reachable ? await engine.listModels().catch(() => []) : [];
  return {
    name: `embedded engine, ${model === undefined ? 'no model yet' : `model ${model.name}`}`,
    firstSteps: `${whyEmbedded(config)}${modelState(config, model?.name ?? null)}\n${talk}`,
  };
}

function whyEmbedded({ engine, ollamaHost }: Config): string {
  const reason = engine === 'auto' ? `No Ollama answers at ${redactUrl(ollamaHost)}, so the` : 'The';
  return `${reason} embedded engine answers.`;
}

/** @param installed null: there is none, or nothing to run it with */
function modelState({ downloadsEnabled }: Config, installed: string | null): string {
  if (installed !== null) {
    if (!isToy(installed)) return '';
    return ` Its model is ${TOY_WARNING}; one that converses: ${ownCommand(`pull ${DEFAULT_MODEL.name}`)}`;
  }
  return downloadsEnabled
    ? ` What it needs is fetched now, up to 720 MB with its model ${DEFAULT_MODEL.name} (Apache-2.0); until then a chat answers 503.`
    : ` It or its model is not installed: ${ownCommand('doctor')} says what to do.`;
}

const PLACEHOLDER = 'YOUR_KEY';

function talkLines(config: Config, port: number): string {
  const url = reachableUrl({ ...config, port });
  const hasKeys = config.apiKeys.length > 0;
  const chat = `${hasKeys ? `MOCHI_API_KEYS=${PLACEHOLDER} ` : ''}${ownCommand(`chat${flagsFor(config, port)}`)}`;
  const keyNote = hasKeys ? ` (with a key of yours for ${PLACEHOLDER})` : '';
  const page = config.webEnabled ? `Open ${url}/ in a browser, or talk` : 'Talk';
  return `${page} to it${keyNote}: ${chat}, or\n${tryLine(url, hasKeys)}\n`;
}

/** What the command chat must be told, where its defaults would not find this server. */
function flagsFor(config: Config, port: number): string {
  if (!['127.0.0.1', '0.0.0.0'].includes(config.host))
    return ` --server ${reachableUrl({ ...config, port })}`;
  return port === settings.port.default ? '' : ` --port ${port}`;
}

/** One line that works as printed, also while things are being fetched. */
function tryLine(url: string, hasKeys: boolean): string {
  const curl = `curl -s --retry 100${hasKeys ? ` -H 'authorization: Bearer ${PLACEHOLDER}'` : ''}`;
  return [
    `${curl} -H 'content-type: application/json' -d '{"message":"Hello!"}'`,
    `${url}/api/v1/chat/$(${curl} -X POST ${url}/api/v1/sessions | cut -d'"' -f4)`,
  ].join(' ');
}
