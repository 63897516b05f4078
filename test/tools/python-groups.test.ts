// Python folders as groups of tools: what is offered of them, how they are called, what they answer.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive, openToolWorld, PYTHONS, type ToolWorld, until } from '../support/tool-groups.ts';

const ORIGINAL = fileURLToPath(new URL('../fixtures/original-tools', import.meta.url));

let world: ToolWorld;
afterEach(() => world.close());

const props = (state: Awaited<ReturnType<ToolWorld['describe']>>, tool: string) =>
  state.tools.find(({ name }) => name === tool)?.inputSchema as any;

it.skipIf(PYTHONS.length > 0)('is skipped: there is no python3 on this machine', () => {
  world = openToolWorld({});
});

it.skipIf(PYTHONS.length === 0)('the host has no syntax that Python 3.9 does not know', () => {
  world = openToolWorld({});
  const host = fileURLToPath(new URL('../../src/tools/groups/python', import.meta.url));
  const check = `
import ast, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 9))
    print(path.name)`;
  const [python = ''] = PYTHONS;
  const { stdout, stderr } = spawnSync(python, ['-c', check, host], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['host.py', 'kinds.py', 'tools.py']));
});

describe.each(PYTHONS)('groups of %s', (python) => {
  const open = (files: Record<string, string>) => {
    world = openToolWorld(files, { python });
    return world;
  };

  it('run the folders of the original as they are', async () => {
    open({});
    cpSync(ORIGINAL, world.folder, { recursive: true });
    world.discover();
    expect(world.sources.map(({ name }) => name)).toEqual([
      { kind: 'python', group: 'filesystem_tools' },
      { kind: 'python', group: 'math_tools' },
      { kind: 'python', group: 'utilities' },
    ]);
    const files = await world.describe('filesystem_tools');
    expect(files.problems).toEqual([]);
    expect(files.tools.map(({ name }) => name)).toEqual([
      'read_file',
      'write_file',
      'list_directory',
      'delete_path',
      'terminal',
    ]);
    expect(files.tools[0]).toMatchObject({
      description: 'Read a text file.',
      timeoutMs: null,
      readOnly: false,
    });
    expect(props(files, 'read_file')).toEqual({
      type: 'object',
      properties: {
        path: { type: 'string', description: 'Path of the file' },
        start_line: { type: ['integer', 'null'], description: 'First line to read, counted from 1' },
        max_lines: { type: 'integer', default: 200, description: 'How many lines to read at most' },
      },
      required: ['path'],
      additionalProperties: false,
    });
    expect(props(files, 'write_file').properties).toEqual({
      path: { type: 'string', description: 'Path of the file' },
      lines: { type: 'array', items: { type: 'string' }, description: 'The lines, without their ends' },
      append: { type: 'boolean', default: false, description: 'Whether what is there stays' },
    });
    const texts: string[] = [];
    for (const [group, tool, args] of [
      ['filesystem_tools', 'write_file', { path: 'a.txt', lines: ['one', 'two'] }],
      ['filesystem_tools', 'read_file', { path: 'a.txt', start_line: 2 }],
      ['filesystem_tools', 'list_directory', {}],
      ['filesystem_tools', 'terminal', { command: ['echo', 'hello'] }],
      ['filesystem_tools', 'delete_path', { path: 'a.txt' }],
      ['math_tools', 'add_numbers', { a: 2, b: 40 }],
      ['math_tools', 'divide', { a: 1, b: 4 }],
      ['math_tools', 'statistics_of', { values: [1, 2, 6] }],
      ['utilities', 'reverse_text', { text: 'abc', upper: true }],
      ['utilities', 'wait_and_say', { text: 'said' }],
    ] as const) {
      await world.describe(group);
      const outcome = await world.run(group, tool, args);
      expect(outcome).toMatchObject({ state: 'succeeded', truncated: false });
      texts.push(outcome.text);
    }
    expect(texts).toEqual([
      'Wrote 2 lines',
      'two',
      'a.txt',
      'exit_code: 0, stdout: hello\n',
      'Tool executed successfully (no return value)',
      '42',
      '0.25',
      'mean: 3.0, median: 2.0, given: [1.0, 2.0, 6.0]',
      'CBA',
      'said',
    ]);
    expect((await world.describe('utilities')).tools.map(({ name }) => name)).toEqual([
      'current_time',
      'reverse_text',
      'wait_and_say',
    ]);
  });

  it('make schemas and values of all the usual hints', async () => {
    open({
      'kinds/__init__.py': `
from __future__ import annotations
import dataclasses, enum, pathlib, datetime
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

@dataclasses.dataclass
class Point:
    x: int
    y: float = 0

class Person(TypedDict, total=False):
    name: str
    tags: list[str]

def f(a: int, c: Color, p: Point, ps: list[Point], w: Person, u: int | str, d: dict[str, float],
      n: Annotated[int, "how many"], path: pathlib.Path, day: datetime.date, m: Literal["a", 1],
      x: Any, raw, t: tuple[int, ...], big: Optional[Point], v: float = 1, where: pathlib.Path = pathlib.Path("x")):
    """Everything."""
    return [a, c is Color.RED, isinstance(p, Point) and p.y, isinstance(ps[0], Point), w["tags"], u, d, n,
            path.name, day.year, m, x, raw, t, big, repr(v)]

def odd(a: "NoSuch", b: "list[Nowhere]" = None, *args, **more):
    """Odd."""
    return {"a": a, "more": more}

def secret(text: str, mochi_context):
    """Knows where it stands."""
    mochi_context["progress"]("half", 1, 2)
    keys = sorted(mochi_context)
    return {"keys": keys, "session": mochi_context["session_id"], "key": mochi_context["idempotency_key"]}

def positional(a: int, /, b: int):
    """Adds."""
    return a + b
`,
    });
    const state = await world.describe('kinds');
    const { properties, required, $defs } = props(state, 'f');
    expect($defs).toBeUndefined();
    expect(required).toEqual(['a', 'c', 'p', 'ps', 'w', 'u', 'd', 'n', 'path', 'day', 'm', 'x', 'raw', 't']);
    const point = {
      type: 'object',
      properties: { x: { type: 'integer' }, y: { type: 'number' } },
      required: ['x'],
      additionalProperties: false,
    };
    expect(properties).toEqual({
      a: { type: 'integer' },
      c: { type: 'string', enum: ['red', 'blue'] },
      p: point,
      ps: { type: 'array', items: point },
      w: {
        type: 'object',
        properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
        required: [],
        additionalProperties: false,
      },
      u: { type: ['integer', 'string'] },
      d: { type: 'object', additionalProperties: { type: 'number' } },
      n: { type: 'integer', description: 'how many' },
      path: { type: 'string' },
      day: { type: 'string', format: 'date' },
      m: { type: ['string', 'integer'], enum: ['a', 1] },
      x: {},
      raw: { type: 'string' },
      t: { type: 'array', items: { type: 'integer' } },
      big: { anyOf: [point, { type: 'null' }] },
      v: { type: 'number', default: 1 },
      where: { type: 'string', description: 'Default: x.' },
    });
    const args = {
      a: 1,
      c: 'red',
      p: { x: 1, y: 2 },
      ps: [{ x: 1 }],
      w: { tags: ['t'] },
      u: 'u',
      d: { k: 1 },
      n: 3,
      path: 'dir/file',
      day: '2026-11-27',
      m: 'a',
      x: { deep: [1] },
      raw: 'raw',
      t: [1, 2],
      v: 2,
    };
    expect(await world.run('kinds', 'f', args)).toMatchObject({
      state: 'succeeded',
      text: '1, True, 2.0, True, ["t"], u, {"k": 1.0}, 3, file, 2026, a, {"deep": [1]}, raw, [1, 2], None, 2.0',
    });
    expect(await world.run('kinds', 'positional', { a: 1, b: 2 })).toMatchObject({ text: '3' });

    expect(props(state, 'odd')).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      required: ['a'],
    });
    expect(state.problems).toEqual([
      { source: 'python:kinds', message: 'the hint of a in odd cannot be read; it counts as text' },
      { source: 'python:kinds', message: 'the hint of b in odd cannot be read; it counts as text' },
    ]);
    expect(await world.run('kinds', 'odd', { a: 'x', z: 1 })).toMatchObject({ text: 'a: x, more: {"z": 1}' });

    expect(Object.keys(props(state, 'secret').properties)).toEqual(['text']);
    const steps: unknown[] = [];
    const onProgress = (step: unknown) => steps.push(step);
    const { text } = await world.run('kinds', 'secret', { text: 'x' }, { onProgress });
    expect(text).toBe(
      'keys: ["attempt", "execution_id", "idempotency_key", "is_cancelled", "progress", "session_id", "tool_call_id", "turn_id"], session: session, key: key',
    );
    expect(steps).toEqual([{ message: 'half', progress: 1, total: 2 }]);
  });

  it('choose the member of a union that fits, and take what typing has under other names', async () => {
    open({
      'odd/__init__.py': `
import dataclasses, datetime, enum
from typing import Dict, List, Literal, NewType, Optional, Tuple, TypedDict, Union

Id = NewType("Id", int)
class Level(enum.Enum):
    LOW = 1
    HIGH = "high"
@dataclasses.dataclass
class A:
    a: int
@dataclasses.dataclass
class B:
    b: List["A"]
    more: Dict[str, float] = dataclasses.field(default_factory=dict)
class Node(TypedDict):
    children: List["Node"]
    a: Optional["Node"]
    b: Optional["Node"]
    c: Optional["Node"]

def f(u: Union[A, B, str], day: Union[Literal["today"], datetime.date], i: Id, pair: Tuple[int, str],
      n: Union[int, float, None], level: Level = Level.HIGH, nan: float = float("nan"), node: Optional[Node] = None):
    """Chooses."""
    return [type(u).__name__, type(day).__name__, i, type(pair).__name__, n, level.name, str(nan)]
`,
    });
    const state = await world.describe('odd');
    expect(state.problems).toEqual([]);
    const { properties, required } = props(state, 'f');
    expect(required).toEqual(['u', 'day', 'i', 'pair']);
    // What holds itself comes to an end.
    expect(properties.node.anyOf[0].properties.a.anyOf[0].properties.b).toEqual({ type: ['object', 'null'] });
    expect(properties).toMatchObject({
      day: {
        anyOf: [
          { type: 'string', enum: ['today'] },
          { type: 'string', format: 'date' },
        ],
      },
      i: { type: 'integer' },
      pair: { type: 'array', minItems: 2, maxItems: 2 },
      n: { type: ['integer', 'number', 'null'] },
      level: { type: ['integer', 'string'], enum: [1, 'high'], default: 'high' },
      nan: { type: 'number', description: 'Default: nan.' },
    });
    const run = async (args: object) =>
      (await world.run('odd', 'f', { u: 'x', day: 'today', i: 1, pair: [1, 'a'], ...args })).text;
    expect(await run({})).toBe('str, str, 1, tuple, None, HIGH, nan');
    expect(await run({ u: { a: 1 }, day: '2026-11-27', n: 1 })).toBe('A, date, 1, tuple, 1, HIGH, nan');
    expect(await run({ u: { b: [{ a: 1 }] }, n: 1.5, level: 1 })).toBe('B, str, 1, tuple, 1.5, LOW, nan');
  });

  it.skipIf(spawnSync(python, ['-c', 'import pydantic']).status !== 0)(
    'take models of pydantic',
    async () => {
      open({
        'models/__init__.py': `
from __future__ import annotations
from typing import Annotated
from pydantic import BaseModel, Field
class Street(BaseModel):
    name: str
class Address(BaseModel):
    street: Street
    number: int = Field(gt=0, description="House")
def move(to: Address, away: list[Address], times: Annotated[int, Field(description="How often")] = 1):
    """Moves."""
    return {"to": to, "street": away[0].street.name, "all": to}
def where(to: Address) -> Address:
    """Tells."""
    return to
`,
      });
      const state = await world.describe('models');
      expect(state.problems).toEqual([]);
      const schema = props(state, 'move');
      expect(schema.properties.times).toEqual({ type: 'integer', description: 'How often', default: 1 });
      // Every reference leads somewhere, also from where the model is an item.
      const references = [...JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g)].map(
        ([, name]) => name,
      );
      expect(references.length).toBeGreaterThan(1);
      for (const name of references) expect(schema.$defs).toHaveProperty([String(name)]);
      const to = { street: { name: 'Main' }, number: 1 };
      expect(await world.run('models', 'move', { to, away: [to] })).toMatchObject({
        state: 'succeeded',
        text: 'to: {"street": {"name": "Main"}, "number": 1}, street: Main, all: {"street": {"name": "Main"}, "number": 1}',
      });
      expect(await world.run('models', 'where', { to })).toMatchObject({
        text: 'street: {"name": "Main"}, number: 1',
      });
      expect(await world.run('models', 'where', { to: { ...to, number: -1 } })).toMatchObject({
        state: 'failed',
        text: expect.stringContaining('greater than 0'),
      });
    },
  );

  it('say why a call failed, and go on', async () => {
    open({
      'bad/__init__.py': `
import asyncio, sys
def kaboom():
    """Fails."""
    print("before")
    raise RuntimeError("kaboom")
def leave():
    """Leaves."""
    sys.exit(3)
async def later():
    """Fails later."""
    await asyncio.sleep(0)
    raise KeyError("key")
def fine():
    """Works."""
    return {"a": [1, {"b": None}], "c": True}
def noisy():
    """Shuts its stdout."""
    sys.stdout.close()
    return "still here"
`,
    });
    await world.describe('bad');
    const failed = await world.run('bad', 'kaboom');
    expect(failed).toMatchObject({ state: 'failed', text: 'RuntimeError: kaboom' });
    expect(failed.log).toMatch(/^before\nTraceback[^]*line 6, in kaboom[^]*RuntimeError: kaboom\n$/);
    expect(await world.run('bad', 'leave')).toMatchObject({
      state: 'failed',
      text: 'The tool called exit(3)',
    });
    expect(await world.run('bad', 'later')).toMatchObject({ state: 'failed', text: "KeyError: 'key'" });
    expect(await world.run('bad', 'fine')).toMatchObject({ text: 'a: [1, {"b": null}], c: True', log: null });
    expect(await world.run('bad', 'noisy')).toMatchObject({ state: 'succeeded', text: 'still here' });
  });

  it('import their siblings and hide nothing: a folder may be named like a module of Python', async () => {
    open({
      'statistics/__init__.py': '"""Ours."""\ndef ours():\n    """Ours."""\n    return "ours"\n',
      'b-b.2/__init__.py': `
import statistics
from .impl import mean_of
import shared_parts
from ..statistics import ours as other
__all__ = ["mean_of", "far", "gone", "Thing", "bare", "NUMBER"]
class Thing:
    """No tool."""
NUMBER = 1
def bare(): pass
def far():
    """Far."""
    return shared_parts.WORD + other()
`,
      'b-b.2/impl.py':
        'import statistics\ndef mean_of(values: list):\n    "Mean."\n    return statistics.mean(values)\n',
      'shared_parts.py': 'WORD = "shared "',
    });
    const state = await world.describe('b-b.2');
    expect(state.tools.map(({ name }) => name)).toEqual(['mean_of', 'far']);
    expect(state.problems.map(({ message }) => message)).toEqual([
      '__all__ names gone, which is not there',
      'bare has no docstring, so it is no tool',
    ]);
    expect(await world.run('b-b.2', 'mean_of', { values: [1, 3] })).toMatchObject({ text: '2' });
    expect(await world.run('b-b.2', 'far')).toMatchObject({ text: 'shared ours' });
  });

  it('may be the tools folder itself', async () => {
    open({
      '__init__.py': 'from .parts import add\n__math__ = ["add"]\n__all__ = __math__\n',
      'parts.py': 'def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n',
    });
    const group = 'tools';
    expect(await world.describe(group)).toMatchObject({ tools: [{ name: 'add' }], problems: [] });
    expect(await world.run(group, 'add', { a: 1, b: 2 })).toMatchObject({ text: '3' });
  });

  it('that cannot be loaded say why', async () => {
    open({
      'exits/__init__.py': 'import sys\nsys.exit(4)\n',
      'dies/__init__.py': 'import os, sys\nprint("last words", file=sys.stderr, flush=True)\nos._exit(5)\n',
      'syntax/__init__.py': 'def f(:\n',
      'missing/__init__.py': '\nimport no_such_module\n',
    });
    const problems = await Promise.all(
      ['exits', 'dies', 'syntax', 'missing'].map(async (group) => {
        const state = await world.describe(group);
        return [group, state.tools.map(({ name }) => name), state.problems.map(({ message }) => message)];
      }),
    );
    expect(problems).toEqual([
      ['exits', [], ['it called exit(4) while it was loaded']],
      ['dies', [], ['it ended while it was loaded (exit code 5): last words']],
      ['syntax', [], [expect.stringMatching(/^SyntaxError: .*__init__\.py, line 1/)]],
      ['missing', [], ["ModuleNotFoundError: No module named 'no_such_module' (__init__.py, line 2)"]],
    ]);
  });

  it('that have changed since they were loaded are not run as what they were', async () => {
    const text = (hint: string) => `import os\ndef f(x: ${hint}):\n    """F."""\n    return os.getpid()\n`;
    world = openToolWorld({ 'a/__init__.py': text('int') }, { python, spareIdleMs: 0, lastIdleMs: 0 });
    await world.describe('a');
    const first = await world.run('a', 'f', { x: 1 });
    writeFileSync(join(world.folder, 'a/__init__.py'), text('str'));
    // A later worker reads the file as it is now.
    await until(() => !isAlive(Number(first.text)));
    expect(await world.run('a', 'f', { x: 1 })).toMatchObject({
      state: 'failed',
      text: 'The tool f is not what it was when it was loaded; the tools have to be reloaded',
    });
    const old = world.source('a');
    world.discover();
    await old.close();
    expect((await world.describe('a')).tools[0]?.inputSchema).toMatchObject({
      properties: { x: { type: 'string' } },
    });
    expect(await world.run('a', 'f', { x: 'x' })).toMatchObject({ state: 'succeeded' });
  });

  it('stop when they are told to: what is async, and what sleeps', async () => {
    open({
      'slow/__init__.py': `
import asyncio, time
async def wait():
    """Waits."""
    open("wait.begun", "w").close()
    try:
        await asyncio.sleep(60)
    finally:
        open("wait.txt", "w").write("tidied")
def sleep():
    """Sleeps."""
    open("sleep.begun", "w").close()
    try:
        time.sleep(60)
    finally:
        open("sleep.txt", "w").write("tidied")
def say():
    """Says."""
    return "said"
`,
    });
    await world.describe('slow');
    for (const tool of ['wait', 'sleep']) {
      const abort = new AbortController();
      const running = world.run('slow', tool, {}, { signal: abort.signal });
      await until(() => existsSync(join(world.workingFolder, `${tool}.begun`)));
      abort.abort();
      expect(await running).toMatchObject({
        state: 'unknown',
        text: 'The call was cancelled while the tool ran; it may have taken effect',
      });
      expect(readFileSync(join(world.workingFolder, `${tool}.txt`), 'utf8')).toBe('tidied');
    }
    expect(await world.run('slow', 'say')).toMatchObject({ text: 'said' });
  });
});

describe('a Python that is not there', () => {
  it('is told of, and harms no other group', async () => {
    world = openToolWorld(
      {
        'p/__init__.py': 'def f():\n    "F."\n',
        'n/index.mjs': 'export const f = { description: "F.", execute: () => 1 };',
      },
      { python: 'no-such-python' },
    );
    expect(await world.describe('p')).toEqual({
      tools: [],
      problems: [{ source: 'python:p', message: 'Python was not found: no-such-python' }],
    });
    expect(await world.describe('n')).toMatchObject({ tools: [{ name: 'f' }], problems: [] });
  });
});
