// The window that a session stores: what a client sets, and the history of its changes.
import {
  type ContextWindowConfig,
  type ContextWindowInput,
  WINDOW_REASONS,
} from '../contract/context-window.ts';

/** What the first turn asks for, clamped to the model when it runs. */
export const INITIAL_WINDOW: ContextWindowConfig = {
  dynamic_enabled: true,
  current_window: 8192,
  last_adjustment: 'initial_setup',
  adjustment_history: [],
  manual_override: false,
};

/** How many changes a session remembers (ORIGINAL.md §10). */
const HISTORY_LENGTH = 10;

/** Adds a change, and forgets the oldest. */
export function withAdjustment(
  config: ContextWindowConfig,
  entry: ContextWindowConfig['adjustment_history'][number],
): ContextWindowConfig {
  return { ...config, adjustment_history: [...config.adjustment_history, entry].slice(-HISTORY_LENGTH) };
}

/**
 * What a client says of the window, over what is stored. A window set by hand is a change like any other.
 * @param timestamp of the change
 */
export function changeWindow(
  config: ContextWindowConfig,
  input: ContextWindowInput | null | undefined,
  timestamp: string,
): ContextWindowConfig {
  if (input == null) return config;
  const isManual = input.manual_override ?? config.manual_override;
  const isReleased = !isManual && config.last_adjustment === 'manual_override';
  const held = isReleased ? lastAutomatic(config) : config;
  const window = input.current_window ?? held.current_window;
  const changed: ContextWindowConfig = {
    ...config,
    dynamic_enabled: input.dynamic_enabled ?? config.dynamic_enabled,
    current_window: window,
    manual_override: isManual,
    last_adjustment: isManual ? 'manual_override' : held.last_adjustment,
  };
  if (!isManual || window === config.current_window) return changed;
  return withAdjustment(changed, { reason: 'manual_override', window, usage_tokens: 0, timestamp });
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
