// Which model writes about a session.
import type { Engine, EngineModel } from '../contract/engine.ts';
import type { StoredSession } from '../store/sessions.ts';

/** Models that do not keep to a JSON Schema (ORIGINAL.md §14). */
const UNSUPPORTED = new Set(['gpt-oss:20b', 'gpt-oss:120b', 'gpt-oss:latest', 'qwen3:14b', 'qwen3:30b']);

/** The model of the chat, then the one that was named for summaries; those left out that cannot write one. */
export function summaryCandidates({ model, summary_model }: StoredSession): string[] {
  const named = [model, summary_model].filter((name) => name !== null);
  return named.filter((name) => !UNSUPPORTED.has(nameWithTag(name)));
}

/**
 * The first candidate that is installed and accepted.
 * @param find how the engine is asked: from memory, or afresh. @throws MochiError when it cannot be asked
 */
export async function findSummaryModel(
  session: StoredSession,
  find: Engine['findModel'],
  accepts: (model: EngineModel) => boolean = () => true,
): Promise<EngineModel | null> {
  for (const name of summaryCandidates(session)) {
    const model = await find(name);
    if (model?.capabilities.includes('completion') && accepts(model)) return model;
  }
  return null;
}

function nameWithTag(name: string): string {
  return (name.includes(':') ? name : `${name}:latest`).toLowerCase();
}
