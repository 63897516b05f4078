// The commands about tools; each is loaded when it is asked for.
import type { Command } from 'commander';
import { configure, type Flags, withSettings } from './command.ts';

export function addToolCommands(program: Command): void {
  const tools = withSettings(
    program.command('tools').description('list the tools, and what is wrong with those that cannot be used'),
  ).action(async (flags: Flags) => {
    const config = configure(flags);
    const { listTools } = await import('./tools.ts');
    await listTools(config);
  });

  withSettings(
    tools
      .command('run')
      .description('run a tool by hand: in the running server, else here')
      .argument('<name>', 'its name')
      .argument('[arguments]', 'a JSON object such as \'{"a": 1, "b": 2}\'', '{}'),
  ).action(async (name: string, text: string, flags: Flags, command: Command) => {
    // What stands before `run` belongs to it as well.
    const config = configure({ ...command.parent?.opts<Flags>(), ...flags });
    const { runTool } = await import('./tools.ts');
    await runTool(config, { name, text });
  });
}
