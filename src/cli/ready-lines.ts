// What a start says of its engine: which one it is, and a first thing to try.
import type { Config } from '../config.ts';
import type { Engine } from '../contract/engine.ts';
import { DEFAULT_MODEL } from '../engines/embedded/catalogue.ts';
import { redactUrl } from '../kit/redact-url.ts';

export interface ReadyLines {
  readonly name: string;
  /** Whole lines; empty where Ollama runs the models, whose names are its own. */
  readonly firstSteps: string;
}

/** @param url where the server listens */
export async function describeEngine(engine: Engine, config: Config, url: string): Promise<ReadyLines> {
  if (engine.name === 'ollama') return { name: `Ollama: ${redactUrl(config.ollamaHost)}`, firstSteps: '' };
  const { reachable } = await engine.health();
  const [model] = reachable ? await engine.listModels().catch(() => []) : [];
  const name = model?.name ?? DEFAULT_MODEL.name;
  return {
    name: `embedded engine, model ${name}`,
    firstSteps: firstSteps(config, url, { name, isMissing: model === undefined }),
  };
}

function firstSteps(
  config: Config,
  url: string,
  model: { readonly name: string; readonly isMissing: boolean },
): string {
  const reason =
    config.engine === 'auto' ? `No Ollama answers at ${redactUrl(config.ollamaHost)}, so the` : 'The';
  const state = !model.isMissing
    ? ''
    : config.downloadsEnabled
      ? ` It and its model ${model.name} (Apache-2.0) are fetched now, about 720 MB; until then a chat answers 503.`
      : ` It or its model is not installed: mochi-server doctor says what to do.`;
  return `${reason} embedded engine answers.${state}\nTalk to it: mochi-server chat, or\n${tryLine(url, model.name)}\n`;
}

/** One line that works as printed, also while things are being fetched. */
function tryLine(url: string, model: string): string {
  const json = `-H 'content-type: application/json'`;
  return [
    `curl -s --retry 100 ${json} -d '{"message":"Hello!"}'`,
    `${url}/api/v1/chat/$(curl -s --retry 100 ${json} -d '{"model":"${model}"}' ${url}/api/v1/sessions`,
    `| grep -o '"session_id":"[0-9a-f]*' | cut -d'"' -f4)`,
  ].join(' ');
}
