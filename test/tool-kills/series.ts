// What is killed, and when: each series is one way to use tools, cut at one commit after the other until there are no
// more of them, or in the tool itself.

/** In which part of a turn's life the kill comes. */
type Phase =
  /** From the request to its answer. */
  | 'turn'
  /** While the server starts that finds a tool cut. */
  | 'recovery'
  /** From the decision about a tool that was cut to the answer. */
  | 'decision';

type OutcomeDecision = 'retry' | 'respond' | 'deny';

export interface Series {
  /** What is asked for, `KEY` in the place of something unique. */
  readonly message: string;
  readonly phase: Phase;
  /** Beside a commit, or in the tool: before it has written its line, or after. */
  readonly at: 'before' | 'after' | 'tool-before' | 'tool-after';
  /** About every call whose outcome is unknown. */
  readonly decision: OutcomeDecision;
}

const MESSAGES = ['write KEY', 'ask KEY', 'write KEY, write KEYb', 'look KEY, ask KEYb'];
const DECISIONS: readonly OutcomeDecision[] = ['retry', 'respond', 'deny'];

/** @param pass other decisions in every pass */
export function allSeries(pass: number): Series[] {
  const decided = (index: number) => DECISIONS[(index + pass) % DECISIONS.length] ?? 'retry';
  const inTurn = MESSAGES.flatMap((message) =>
    (['tool-before', 'tool-after', 'before', 'after'] as const).map((at, index) => ({
      message,
      phase: 'turn' as const,
      at,
      decision: decided(index),
    })),
  );
  const later = DECISIONS.flatMap((decision) =>
    (['before', 'after'] as const).flatMap((at) => [
      { message: 'write KEY', phase: 'decision' as const, at, decision },
      { message: 'write KEY, ask KEYb', phase: 'recovery' as const, at, decision },
    ]),
  );
  const again = (['tool-before', 'tool-after'] as const).map((at) => ({
    message: 'write KEY',
    phase: 'decision' as const,
    at,
    decision: 'retry' as const,
  }));
  return [...inTurn, ...again, ...later];
}

export type SeriesInTool = Series & { readonly at: 'tool-before' | 'tool-after' };

export function isInTool(series: Series): series is SeriesInTool {
  return series.at.startsWith('tool');
}
