// The part of node-llama-cpp that is used, as an interface of our own: the package is an optional peer, so its
// types are not there to be imported. Facts: its type declarations, version 3.21.1.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export type Token = number;

export interface EvaluateOptions {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
  readonly repeatPenalty?: {
    readonly punishTokens: () => Token[];
    readonly penalty: number;
    readonly frequencyPenalty: number;
    readonly presencePenalty: number;
  };
  readonly grammarEvaluationState?: object;
}

export interface Sequence {
  readonly contextSize: number;
  readonly nextTokenIndex: number;
  /** Keeps the common beginning of what is evaluated and these tokens, drops the rest. */
  adaptStateToTokens(tokens: Token[], allowShift?: boolean): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: Token[]): Promise<void>;
  /** Ends by itself at a token that ends the answer; that token is not yielded. */
  evaluate(tokens: Token[], options: EvaluateOptions): AsyncGenerator<Token, void>;
}

export interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}

export interface LoadedModel {
  readonly fileInfo: { readonly metadata: { readonly tokenizer?: { readonly chat_template?: string } } };
  readonly tokens: {
    readonly bos: Token | null;
    readonly bosString: string | null;
    readonly eosString: string | null;
    readonly shouldPrependBosToken: boolean;
  };
  tokenize(text: string, specialTokens: boolean): Token[];
  detokenize(tokens: readonly Token[], specialTokens: boolean, lastTokens: readonly Token[]): string;
  createContext(options: {
    readonly contextSize: number;
    readonly sequences: number;
    readonly threads: number;
  }): Promise<Context>;
  dispose(): Promise<void>;
}

export interface Grammar {
  readonly grammar: string;
}

export interface Llama {
  /** Cores that do arithmetic: hyper-threads do not count. */
  readonly cpuMathCores: number;
  loadModel(options: { readonly modelPath: string; readonly gpuLayers: number }): Promise<LoadedModel>;
  createGrammarForJsonSchema(schema: object): Promise<Grammar>;
  getGrammarFor(type: 'json'): Promise<Grammar>;
}

export interface Binding {
  getLlama(options: {
    readonly gpu: false;
    readonly build: 'never';
    readonly skipDownload: true;
    readonly logLevel: 'error';
  }): Promise<Llama>;
  readonly LlamaGrammarEvaluationState: new (options: {
    readonly model: LoadedModel;
    readonly grammar: Grammar;
  }) => object;
}

/** What renders the chat templates of models; the binding brings it along. */
export interface Jinja {
  readonly Template: new (template: string) => { render(context: Record<string, unknown>): string };
}

/** @param entry absolute path of the binding's entry file */
export async function loadBinding(entry: string): Promise<{ binding: Binding; jinja: Jinja }> {
  const jinjaEntry = createRequire(entry).resolve('@huggingface/jinja');
  // Two packages without types here: the interfaces above say what is used of them.
  const binding = (await import(pathToFileURL(entry).href)) as Binding;
  const jinja = (await import(pathToFileURL(jinjaEntry).href)) as Jinja;
  return { binding, jinja };
}
