// A new session.
import {
  type ContextWindowConfig,
  type ContextWindowInput,
  WINDOW_REASONS,
} from '../contract/context-window.ts';
import type { CreateSession } from '../contract/session.ts';
import { insertSession, type StoredSession } from '../store/sessions.ts';
import { checkMetadata } from './metadata.ts';
import { readPromptText } from './prompt-text.ts';
import { requireChatModel, requireSession } from './require.ts';
import type { SessionDeps } from './session-deps.ts';
import { completeAgentSettings, completeToolSettings } from './settings.ts';
import { placeSystemMessage, type SystemText } from './system-prompt.ts';

/** What the first turn asks for, clamped to the model when it runs. */
const INITIAL_WINDOW: ContextWindowConfig = {
  dynamic_enabled: true,
  current_window: 8192,
  last_adjustment: 'initial_setup',
  adjustment_history: [],
  manual_override: false,
};

/** @throws MochiError model_unusable, prompt_not_found, invalid_filename, invalid_content, ollama_unreachable, ollama_error, validation_error */
export async function createSession(deps: SessionDeps, input: CreateSession): Promise<StoredSession> {
  checkMetadata(input.metadata);
  const systemText = await readSystemText(deps, input);
  // Its first turn then knows which window is loaded, and need not ask.
  const [model] = await Promise.all([requireChatModel(deps.engine, input.model), deps.learnWindows()]);
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
      contextWindow: changeWindow(INITIAL_WINDOW, input.context_window ?? input.context_window_config),
      summaryModel: input.summary_model ?? null,
    });
    if (systemText !== null) await placeSystemMessage({ ...deps, db: transaction }, id, systemText);
    return requireSession(transaction, id);
  });
}

/** With a text the file is only its label (ORIGINAL.md §5). */
async function readSystemText(deps: SessionDeps, input: CreateSession): Promise<SystemText | null> {
  const { system_prompt: content, system_prompt_source_file: sourceFile = null } = input;
  // Empty, not blank: what clients of the original send for a field that was left empty.
  if (content != null && content !== '') return { content, sourceFile };
  return sourceFile === null ? null : readPromptText(deps.promptFolder, sourceFile);
}

/** What a client says of the window, over what is stored. */
export function changeWindow(
  config: ContextWindowConfig,
  input: ContextWindowInput | null | undefined,
): ContextWindowConfig {
  if (input == null) return config;
  const isManual = input.manual_override ?? config.manual_override;
  const isReleased = !isManual && config.last_adjustment === 'manual_override';
  const held = isReleased ? lastAutomatic(config) : config;
  return {
    ...config,
    dynamic_enabled: input.dynamic_enabled ?? config.dynamic_enabled,
    current_window: input.current_window ?? held.current_window,
    manual_override: isManual,
    last_adjustment: isManual ? 'manual_override' : held.last_adjustment,
  };
}

/** What held before a client took the window into its own hands: the history has no manual windows. */
function lastAutomatic({
  adjustment_history: history,
}: ContextWindowConfig): Pick<ContextWindowConfig, 'current_window' | 'last_adjustment'> {
  const automatic = WINDOW_REASONS.filter((reason) => reason !== 'manual_override');
  for (const { reason, window } of history.toReversed()) {
    const known = automatic.find((name) => name === reason);
    if (known !== undefined) return { current_window: window, last_adjustment: known };
  }
  return INITIAL_WINDOW;
}
