// What users of the package import: the server as a function, and the types of the contract.
import './require-node.ts';

export { type Config, loadConfig } from './config.ts';
export type * from './contract/chat.ts';
export type * from './contract/context-window.ts';
export type * from './contract/engine.ts';
export { type ErrorBody, type ErrorKindName, MochiError } from './contract/errors.ts';
export type * from './contract/message.ts';
export type * from './contract/model.ts';
export type * from './contract/session.ts';
export type * from './contract/tool.ts';
export type * from './contract/turn.ts';
export type { TurnEvent } from './contract/turn-event.ts';
export { createLog, type Log } from './kit/log.ts';
export { createServer, type Server } from './server.ts';
