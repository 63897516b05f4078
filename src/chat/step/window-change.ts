// What a turn says of its window when it ends, and what of it the session keeps.
import type {
  ContextReceipt,
  ContextWindowConfig,
  ContextWindowInfo,
} from '../../contract/context-window.ts';
import type { EngineUsage } from '../../contract/engine.ts';
import { withAdjustment } from '../../sessions/change-window.ts';
import type { Db } from '../../store/database.ts';
import { findSession, type StoredSession } from '../../store/sessions.ts';

export function windowInfo(
  config: ContextWindowConfig,
  receipt: ContextReceipt,
  usage: Pick<EngineUsage, 'promptTokens' | 'outputTokens'>,
): ContextWindowInfo {
  return {
    // Left to the engine, it is the engine's; until that is known, what the session would ask for.
    current_window: receipt.window ?? receipt.loaded_window ?? config.current_window,
    usage_tokens: (usage.promptTokens ?? 0) + (usage.outputTokens ?? 0),
    reason: receipt.window_reason,
  };
}

/**
 * Only real changes are written, and only they enter the history. A window for one turn is no change.
 * Read anew: a client may have changed the settings while the turn ran.
 */
export async function windowChange(
  db: Db,
  session: StoredSession,
  info: ContextWindowInfo,
  timestamp: string,
): Promise<{ contextWindow?: ContextWindowConfig }> {
  const { current_window: window, reason, usage_tokens } = info;
  if (window === session.context_window.current_window || reason === 'manual_override') return {};
  const config = (await findSession(db, session.session_id))?.context_window;
  if (config === undefined || config.manual_override) return {};
  const entry = { reason, window, usage_tokens, timestamp };
  return {
    contextWindow: withAdjustment({ ...config, current_window: window, last_adjustment: reason }, entry),
  };
}
