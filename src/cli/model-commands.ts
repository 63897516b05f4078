// The commands about models and engines, and the conversation from the terminal; each is loaded when it is asked for.
import type { Command } from 'commander';
import type { ChatFlags } from './chat.ts';
import { configure, type Flags, withSettings } from './command.ts';

export function addModelCommands(program: Command): void {
  withSettings(
    program
      .command('chat')
      .description('talk to a running server from the terminal')
      .option('--server <url>', 'where it runs; default: host and port of the settings')
      .option('--model <name>', 'model of a new session; default: the one of the server')
      .option('--session <id>', 'go on with this session')
      .option('-c, --continue', 'go on with the newest session')
      .option('--think', 'show what the model thinks, where it can'),
  ).action(async (flags: ChatFlags) => {
    const config = configure(flags);
    const { chat } = await import('./chat.ts');
    await chat(config, flags);
  });

  withSettings(
    program.command('models').description('list the models, and which of them are in memory'),
  ).action(async (flags: Flags) => {
    const config = configure(flags);
    const { listModels } = await import('./models.ts');
    await listModels(config);
  });

  withSettings(
    program
      .command('pull')
      .description('fetch a model')
      .argument(
        '<name>',
        'qwen3-0.6b, smollm2-135m, hf.co/OWNER/REPO/FILE.gguf or the URL of a .gguf file for the embedded engine; any other name is for Ollama',
      )
      .option('--sha256 <hex>', 'what the file of a URL must hash to'),
  ).action(async (name: string, flags: Flags & { readonly sha256?: string }) => {
    const config = configure(flags);
    const { pull } = await import('./pull.ts');
    await pull(config, name, flags.sha256 ?? null);
  });

  withSettings(
    program
      .command('doctor')
      .description('check configuration, database, engine and models, and say what to do next'),
  ).action(async (flags: Flags) => {
    const config = configure(flags);
    const { examine } = await import('./doctor.ts');
    await examine(config);
  });
}
