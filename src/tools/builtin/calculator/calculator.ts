// `calculator`: arithmetic that models get wrong.
import type { BuiltinTool } from '../builtin-tool.ts';
import { evaluate } from './evaluate.ts';
import { FUNCTIONS } from './functions.ts';
import { shownNumber } from './number.ts';

const MAX_LENGTH = 1000;

export const calculator: BuiltinTool = {
  description: `Work out an expression of numbers, exactly: + - * / ^ % ! ( ), pi, e, and ${[...FUNCTIONS.keys()].join(', ')}. Angles are in radians; log(x) is the natural one, log(x, base) any other.`,
  inputSchema: {
    type: 'object',
    properties: {
      expression: {
        type: 'string',
        minLength: 1,
        maxLength: MAX_LENGTH,
        description: 'Such as (3 + 4) * 2^10 / 7',
      },
    },
    required: ['expression'],
    additionalProperties: false,
  },
  readOnly: true,
  repeatable: false,
  async run({ expression }) {
    return shownNumber(evaluate(String(expression)));
  },
};
