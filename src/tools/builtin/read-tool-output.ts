// `read_tool_output`: the rest of a result that was too long for the model, a piece at a time.
import { cutText } from '../../kit/whole-characters.ts';
import { BuiltinFault, type BuiltinTool } from './builtin-tool.ts';

/** The whole text that an execution of a session gave. @returns null: the session has no such execution */
export type ReadOutput = (executionId: string, sessionId: string) => Promise<string | null>;

/** Of a piece, where none is said: small windows hold no more. In characters. */
const USUAL_LENGTH = 6000;
/** Said behind a piece; with it, a piece is not cut once more. */
const NOTE_LENGTH = 200;

export function readToolOutput({
  readOutput = async () => null,
  toolResultChars,
}: {
  readonly readOutput?: ReadOutput | undefined;
  /** Characters of a result that a model reads. */
  readonly toolResultChars: number;
}): BuiltinTool {
  const longest = toolResultChars - NOTE_LENGTH;
  return {
    description: 'Read more of the result of an earlier tool call, where a part of it was left out.',
    inputSchema: {
      type: 'object',
      properties: {
        execution_id: {
          type: 'string',
          maxLength: 100,
          description: 'As it stands where the part was left out: exec_…',
        },
        offset: { type: 'integer', minimum: 0, description: 'Character to begin with; the first is 0' },
        limit: { type: 'integer', minimum: 1, description: 'Characters to read' },
      },
      required: ['execution_id'],
      additionalProperties: false,
    },
    readOnly: true,
    async run({ execution_id: id, offset = 0, limit = USUAL_LENGTH }, { sessionId }) {
      if (sessionId === null) throw new BuiltinFault('It reads results of a session, and this is none.');
      const text = await readOutput(String(id), sessionId);
      if (text === null)
        throw new BuiltinFault(`This session has no execution '${cutText(String(id), 100)}'.`);
      const begin = Number(offset);
      if (begin >= text.length) {
        throw new BuiltinFault(`The result has ${text.length} characters; there is none at ${begin}.`);
      }
      const piece = cutText(text.slice(begin), Math.min(Number(limit), longest));
      const end = begin + piece.length;
      return end >= text.length
        ? piece
        : `${piece}\n[characters ${begin} to ${end} of ${text.length}; read on with offset ${end}]`;
    },
  };
}
