// The commands about models and engines, and the conversation from the terminal; each is loaded when it is asked for.
import type { Command } from 'commander';
import { type AskFlags, addAskOptions, addTalkOptions, isOneQuestion, settingsOf } from './ask-options.ts';
import { configure, type Flags, withSettings } from './command.ts';

export function addModelCommands(program: Command): void {
  withSettings(
    addAskOptions(
      addTalkOptions(
        program
          .command('chat')
          .description(
            'talk to a running server from the terminal; with a question or through a pipe: as ask',
          )
          .argument('[question...]', 'what to ask; nothing: a conversation')
          .option('--plain', 'show answers as the model writes them, without colours')
          .option('--verbose', 'say how many tokens an answer took, and how fast they came'),
      ),
    ),
  ).action(async (words: string[], flags: AskFlags) => {
    const config = configure(settingsOf(flags));
    const isQuestion = words.length > 0 || !process.stdin.isTTY || isOneQuestion(flags);
    if (isQuestion) return (await import('./ask.ts')).ask(config, words, flags);
    const { chat } = await import('./chat.ts');
    await chat(config, settingsOf(flags));
  });

  withSettings(
    addAskOptions(
      addTalkOptions(
        program
          .command('ask')
          .description('ask a running server one question: the answer on stdout, all else on stderr')
          .argument(
            '[question...]',
            'what to ask, before what comes through a pipe; @PATH: that file goes along',
          ),
      ),
    ),
  ).action(async (words: string[], flags: AskFlags) => {
    const config = configure(settingsOf(flags));
    const { ask } = await import('./ask.ts');
    await ask(config, words, flags);
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
