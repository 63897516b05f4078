// Lines of JSON against their schemas.
import type { ValidateFunction } from 'ajv';
import { ExecutionLine, JSONL_FORMAT, MessageLine, SessionLine, TurnLine } from '../../contract/jsonl.ts';
import { NAMED_SCHEMAS } from '../../contract/named-schemas.ts';
import { ID_PATTERN } from '../../contract/schema.ts';
import { loadAjv } from '../../kit/late-packages.ts';
import { cutText } from '../../kit/whole-characters.ts';
import type { Line } from './columns.ts';
import { LineError } from './session-builder.ts';

const SCHEMAS = { session: SessionLine, message: MessageLine, turn: TurnLine, execution: ExecutionLine };
export type LineType = keyof typeof SCHEMAS;

/** @throws LineError */
export function lineTypeOf({ type, format }: Line): LineType {
  if (type === 'session' && format !== JSONL_FORMAT) {
    throw new LineError(`is of the format ${shown(format)}; this version reads ${JSONL_FORMAT}`);
  }
  if (isLineType(type)) return type;
  throw new LineError(`is of the type ${shown(type)}, which is none of ${Object.keys(SCHEMAS).join(', ')}`);
}

function isLineType(type: unknown): type is LineType {
  return typeof type === 'string' && Object.hasOwn(SCHEMAS, type);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(cutText(value, 40)) : 'unknown';
}

let compiled: Readonly<Record<LineType, ValidateFunction>> | null = null;

/** @returns the line with what was left out filled in. @throws LineError */
export function checkLine(type: LineType, line: Line): Line {
  compiled ??= compile();
  const validate = compiled[type];
  if (validate(line)) return line;
  const { instancePath = '', message = 'is not valid', params = {} } = validate.errors?.[0] ?? {};
  const key: unknown = params['additionalProperty'];
  const what =
    typeof key === 'string'
      ? `${instancePath}/${cutText(key, 40)} is not known to this version`
      : `${instancePath} ${message}`;
  throw new LineError(what.trim(), idOf(line));
}

function idOf({ type, session_id: id }: Line): string | null {
  return type === 'session' && typeof id === 'string' && ID_PATTERN.test(id) ? id : null;
}

function compile(): Readonly<Record<LineType, ValidateFunction>> {
  const { Ajv } = loadAjv();
  const ajv = new Ajv({ useDefaults: true, allowUnionTypes: true, strict: false, validateFormats: false });
  const own: readonly unknown[] = Object.values(SCHEMAS);
  for (const schema of NAMED_SCHEMAS) if (!own.includes(schema)) ajv.addSchema(schema);
  return {
    session: ajv.compile(SessionLine),
    message: ajv.compile(MessageLine),
    turn: ajv.compile(TurnLine),
    execution: ajv.compile(ExecutionLine),
  };
}
