// The binding used bare, in a process of its own: a prompt comes in, what it took goes out. What the engine is held to.
import { type Context, loadBinding, type Token } from '../src/engines/embedded/binding.ts';
import { toSampling } from '../src/engines/embedded/sampling.ts';

export interface BareQuestion {
  readonly prompt: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface BareAnswer {
  readonly firstMs: number;
  readonly tokens: number;
  readonly tokensPerSecond: number;
}

const [entry = '', modelPath = '', window = ''] = process.argv.slice(2);
const { binding } = await loadBinding(entry);
const llama = await binding.getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error' });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const threads = Math.max(1, llama.cpuMathCores - 1);
const context: Context = await model.createContext({ contextSize: Number(window), sequences: 1, threads });
const sequence = context.getSequence();

process.on('disconnect', () => process.exit());
process.on('message', (question: BareQuestion) => void answer(question));
process.send?.('ready');

async function answer({ prompt, options }: BareQuestion): Promise<void> {
  const written: Token[] = [];
  const startedAt = performance.now();
  const tokens = model.tokenize(prompt, true);
  const recentTokens = (count: number) => [...tokens, ...written].slice(-count);
  const { evaluate, maxTokens } = toSampling({ options, isStructured: false, recentTokens });
  await sequence.adaptStateToTokens(tokens.slice(0, -1), false);
  let firstAt = 0;
  for await (const token of sequence.evaluate(tokens.slice(sequence.nextTokenIndex), evaluate)) {
    if (firstAt === 0) firstAt = performance.now();
    written.push(token);
    model.detokenize([token], false, written.slice(-4));
    if (written.length >= maxTokens) break;
  }
  const said: BareAnswer = {
    firstMs: firstAt - startedAt,
    tokens: written.length,
    tokensPerSecond: (written.length - 1) / ((performance.now() - firstAt) / 1000),
  };
  process.send?.(said);
}
