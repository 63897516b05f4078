// Tools: what there is, read anew, and a run by hand.
import { Type } from 'typebox';
import { MochiError } from '../../contract/errors.ts';
import { ref } from '../../contract/schema.ts';
import { RunToolInput, ToolInfo, ToolList, ToolRun, ToolsReloaded } from '../../contract/tool.ts';
import { cutText } from '../../kit/whole-characters.ts';
import type { RegisteredTool } from '../../tools/registered-tool.ts';
import { runByHand } from '../../tools/run-by-hand.ts';
import type { Tools } from '../../tools/tools.ts';
import type { App, AppDeps } from '../app-deps.ts';
import { BODY_ERRORS, jsonAnswer, responses } from '../document.ts';
import { handJournal } from '../hand-journal.ts';

const tags = ['tools'];

const ToolParams = Type.Object({
  name: Type.String({ description: 'Name of the tool.', examples: ['add_numbers'] }),
});

export function toolRoutes(app: App, deps: AppDeps): void {
  const { tools } = deps;
  app.get(
    '/api/v1/tools',
    {
      schema: {
        tags,
        operationId: 'listTools',
        summary: 'All tools by name',
        description: 'Right after the start it waits until they were found, ten seconds at most.',
        response: responses(200, jsonAnswer('By name.', ref(ToolList)), []),
      },
    },
    async () => {
      await tools.ready();
      const all = [...tools.registry().tools].map(([name, tool]) => [name, toInfo(tools, tool)]);
      return { tools: Object.fromEntries(all) };
    },
  );
  app.get(
    '/api/v1/tools/:name',
    {
      schema: {
        tags,
        operationId: 'getTool',
        summary: 'One tool by name',
        params: ToolParams,
        response: responses(200, jsonAnswer('The tool.', ref(ToolInfo)), ['tool_not_found']),
      },
    },
    async ({ params }) => toInfo(tools, await requireTool(tools, params.name)),
  );
  app.post(
    '/api/v1/tools/reload',
    {
      schema: {
        tags,
        operationId: 'reloadTools',
        summary: 'Read all tools anew',
        description:
          'The new ones take the place of the old ones at once, when all were read. Turns under way keep the definitions that they began with.',
        response: responses(200, jsonAnswer('What there is now.', ref(ToolsReloaded)), BODY_ERRORS),
      },
    },
    async (): Promise<ToolsReloaded> => {
      const { success, toolsCount, problems } = await tools.reload();
      const message = success
        ? `Successfully reloaded ${toolsCount} tools`
        : `Nothing was reloaded, the ${toolsCount} tools of before stay: ${problems.map((problem) => problem.message).join(' ')}`;
      return { success, tools_count: toolsCount, message, problems: [...problems] };
    },
  );
  addRunRoute(app, deps);
}

function addRunRoute(app: App, deps: AppDeps): void {
  const { tools, newId } = deps;
  app.post(
    '/api/v1/tools/:name/run',
    {
      // The body may be left out.
      preValidation: async (request) => {
        if (request.body === undefined) request.body = {};
      },
      schema: {
        tags,
        operationId: 'runTool',
        summary: 'Run a tool by hand',
        description:
          "As a model's call: arguments are brought into form, validated, and held against the operator's rules that forbid; nobody is asked. It is stopped when the client leaves, and kept in the journal either way. A tool that fails is 200 with `success: false`.",
        params: ToolParams,
        body: ref(RunToolInput),
        response: responses(200, jsonAnswer('How the run ended.', ref(ToolRun)), [
          'tool_not_found',
          'tool_execution_denied',
          ...BODY_ERRORS,
        ]),
      },
    },
    async ({ params, body }, reply): Promise<ToolRun> => {
      const tool = await requireTool(tools, params.name);
      const left = new AbortController();
      reply.raw.once('close', () => left.abort());
      return runByHand(tools, {
        tool,
        arguments: body.arguments ?? {},
        executionId: `exec_${newId(12)}`,
        signal: left.signal,
        journal: handJournal(deps),
      });
    },
  );
}

/** @throws MochiError tool_not_found */
async function requireTool(tools: Tools, name: string): Promise<RegisteredTool> {
  await tools.ready();
  const tool = tools.registry().tools.get(name);
  if (tool !== undefined) return tool;
  const shown = cutText(name, 64);
  throw new MochiError('tool_not_found', `There is no tool called ${shown}.`, { tool_name: shown });
}

function toInfo(tools: Tools, tool: RegisteredTool): ToolInfo {
  const rule = tools.denyRuleOf(tool.name);
  return {
    name: tool.name,
    description: tool.description,
    parameters: { ...tool.parameters },
    input_schema: { ...tool.inputSchema },
    source: tool.source.name,
    read_only: tool.readOnly,
    fingerprint: tool.fingerprint,
    available: rule === null,
    problem: rule === null ? null : `The operator's policy forbids it (${rule}).`,
  };
}
