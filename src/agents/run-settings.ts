// What an agent says of its runs: the keys of `metadata` that are ours.
import type { Think } from '../contract/engine.ts';

export interface AgentRunSettings {
  /** Rounds; null: the server's. */
  readonly maxIterations: number | null;
  /** Time in which it works; 0: as long as it takes; null: the server's. */
  readonly timeoutSeconds: number | null;
  /** Of its prompts and answers together; null: any. */
  readonly maxTokens: number | null;
  readonly think: Think;
  /** Whether it plans before it works. */
  readonly planning: boolean;
  /** Whether a person approves the plan. */
  readonly approvePlan: boolean;
}

/** How a text is read; undefined: it is not what it has to be. */
type Rule<T> = readonly [expected: string, read: (text: string) => T | undefined];

const BOOLEAN: Rule<boolean> = [
  'true or false',
  (text) => ({ true: true, false: false })[text.toLowerCase()],
];
const THINK: Rule<Think> = [
  'true, false, low, medium or high',
  (text) => (text === 'low' || text === 'medium' || text === 'high' ? text : BOOLEAN[1](text)),
];

const MAX_ITERATIONS = 1000;
const MAX_TIMEOUT_SECONDS = 604_800;

const RULES: { readonly [Key in keyof AgentRunSettings]: readonly [string, Rule<AgentRunSettings[Key]>] } = {
  maxIterations: ['mochi-max-iterations', wholeNumber(1, MAX_ITERATIONS)],
  timeoutSeconds: ['mochi-timeout-seconds', wholeNumber(0, MAX_TIMEOUT_SECONDS)],
  maxTokens: ['mochi-max-tokens', wholeNumber(1, 1_000_000_000)],
  think: ['mochi-think', THINK],
  planning: ['mochi-planning', BOOLEAN],
  approvePlan: ['mochi-approve-plan', BOOLEAN],
};

/** Those that are ours. */
export function metadataKeys(): string[] {
  return Object.values(RULES).map(([key]) => key);
}

const DEFAULTS: AgentRunSettings = {
  maxIterations: null,
  timeoutSeconds: null,
  maxTokens: null,
  think: false,
  planning: true,
  approvePlan: false,
};

/** What cannot be read is as if it were not there, and a warning. */
export function readRunSettings(metadata: Readonly<Record<string, string>>): {
  readonly run: AgentRunSettings;
  readonly warnings: readonly string[];
} {
  const warnings: string[] = [];
  const read: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const [setting, [key, [expected, parse]]] of Object.entries(RULES)) {
    known.add(key);
    const text = metadata[key]?.trim();
    if (text === undefined) continue;
    read[setting] = parse(text);
    if (read[setting] !== undefined) continue;
    delete read[setting];
    warnings.push(`metadata: ${key} has to be ${expected}: it is not used.`);
  }
  const odd = Object.keys(metadata).filter((key) => key.startsWith('mochi-') && !known.has(key));
  warnings.push(...odd.map((key) => `metadata: ${key} is not known.`));
  // Each value came from the rule of its key.
  const run = { ...DEFAULTS, ...(read as Partial<AgentRunSettings>) };
  if (run.approvePlan && !run.planning) {
    warnings.push('metadata: mochi-approve-plan is not used: with mochi-planning false there is no plan.');
  }
  return { run, warnings };
}

function wholeNumber(least: number, most: number): Rule<number> {
  return [
    `a whole number from ${least} to ${most}`,
    (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  ];
}
