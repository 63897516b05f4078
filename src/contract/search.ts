// What a search finds.
import { type Static, Type } from 'typebox';
import { ROLES, type Role } from './message.ts';
import { nullable, oneOf, ref, Timestamp } from './schema.ts';
import { SESSION_KINDS } from './session.ts';

/** Longest text in a search box, in characters. */
const QUERY_LENGTH = 500;

export const SearchText = Type.String({
  maxLength: QUERY_LENGTH,
  description:
    'Words, all of which must be there; case and accents do not matter. `"…"`: side by side. `-word`: not there. `word*`: words that begin so, as does the last word while nothing follows it (from three letters on). Of a long query the longest words count.',
  examples: ['redis port -cluster'],
});

export const IncludeAgents = Type.Optional(
  Type.Boolean({
    description: 'true: agent chats as well, each marked by its `kind`. Default: without them.',
  }),
);

export const IncludeUnlisted = Type.Optional(
  Type.Boolean({
    description:
      'true: sessions as well that clients of other APIs began without naming one, and that nobody has gone on with by name. Default: without them.',
  }),
);

export const SearchResult = Type.Object(
  {
    session_id: Type.String(),
    title: nullable(Type.String({ description: 'Title of the session.' })),
    message_id: nullable(Type.String({ description: 'Null: the title of the session was found.' })),
    role: Type.Unsafe<Role | null>({
      type: ['string', 'null'],
      enum: [...ROLES, null],
      description: 'Null for a title.',
    }),
    snippet: Type.String({
      description: 'Plain text around what was found, about 200 characters; not HTML: escape it.',
    }),
    highlights: Type.Array(
      Type.Unsafe<readonly [number, number]>({
        type: 'array',
        items: { type: 'integer', minimum: 0 },
        minItems: 2,
        maxItems: 2,
      }),
      {
        description:
          'Where the hits stand in `snippet`: `[start, end)` in UTF-16 units, as `String.prototype.slice` takes them; in order, not overlapping.',
      },
    ),
    active: Type.Boolean({ description: 'Whether the message lies on the path that the session shows.' }),
    rank: Type.Number({ description: 'The higher the better; comparable within one search only.' }),
    timestamp: Timestamp,
    kind: Type.Optional(
      oneOf(SESSION_KINDS, { description: 'Only with `include_agents`. `agent`: of an agent chat.' }),
    ),
  },
  { $id: 'SearchResult' },
);
export type SearchResult = Static<typeof SearchResult>;

export const SearchAnswer = Type.Object(
  {
    results: Type.Array(ref(SearchResult)),
    next_cursor: nullable(Type.String()),
    truncated: Type.Boolean({
      description: 'More was found than is ranked: only the newest 2000 are. Look for rarer words.',
    }),
  },
  {
    $id: 'SearchAnswer',
    examples: [
      {
        results: [
          {
            session_id: 'b5a3d7e4c9',
            title: 'Ports',
            message_id: '194e786d07',
            role: 'assistant',
            snippet: 'Redis listens on port 6379.',
            highlights: [
              [0, 5],
              [17, 21],
            ],
            active: true,
            rank: 3.25,
            timestamp: '2026-02-15T09:49:38.310281Z',
          },
        ],
        next_cursor: null,
        truncated: false,
      },
    ],
  },
);
