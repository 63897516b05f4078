// A new session.
import type { EngineModel } from '../contract/engine.ts';
import type { CreateSession } from '../contract/session.ts';
import { insertSession, type NewSession, type StoredSession } from '../store/sessions.ts';
import { changeWindow, INITIAL_WINDOW } from './change-window.ts';
import { checkMetadata } from './metadata.ts';
import { readPromptText, type SystemText } from './prompt-text.ts';
import { requireChatModel, requireDefaultModel, requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';
import { completeAgentSettings, completeToolSettings } from './settings.ts';
import { placeSystemMessage } from './system-prompt.ts';

/** @param named for clients of other APIs @throws MochiError model_unusable, prompt_not_found, invalid_filename, invalid_content, ollama_unreachable, ollama_error, engine_not_ready, validation_error */
export async function createSession(
  deps: SessionDeps,
  input: CreateSession,
  named: Pick<NewSession, 'clientKey' | 'isListed'> = {},
): Promise<StoredSession> {
  checkMetadata(input.metadata);
  const systemText = await readSystemText(deps, input);
  // Its first turn then knows which window is loaded, and need not ask.
  const [model] = await Promise.all([requireModel(deps, input.model), deps.learnWindows()]);
  const id = deps.newId(10);
  const now = deps.now();
  return deps.db.transaction().execute(async (transaction) => {
    await insertSession(transaction, {
      id,
      model: model.name,
      createdAt: now,
      updatedAt: now,
      title: input.title ?? null,
      metadata: input.metadata ?? {},
      toolSettings: completeToolSettings(input.tool_settings),
      agentSettings: completeAgentSettings(input.agent_settings),
      contextWindow: changeWindow(INITIAL_WINDOW, input.context_window ?? input.context_window_config, now),
      summaryModel: input.summary_model ?? null,
      ...named,
    });
    if (systemText !== null) await placeSystemMessage({ ...deps, db: transaction }, id, systemText);
    return requireSession(transaction, id);
  });
}

function requireModel(deps: SessionDeps, name: CreateSession['model']): Promise<EngineModel> {
  return name == null ? requireDefaultModel(deps) : requireChatModel(deps.engine, name);
}

/** With a text the file is only its label (ORIGINAL.md §5). */
async function readSystemText(deps: SessionDeps, input: CreateSession): Promise<SystemText | null> {
  const { system_prompt: content, system_prompt_source_file: sourceFile = null } = input;
  // Empty, not blank: what clients of the original send for a field that was left empty.
  if (content != null && content !== '') return { content, sourceFile };
  return sourceFile === null ? null : readPromptText(deps.promptFiles, sourceFile);
}
