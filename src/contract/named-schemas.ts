// Every schema that has a name: the components of the OpenAPI document, and what validation can refer to.
import type { TSchema } from 'typebox';
import { AgentDetail, AgentInfo, AgentList, AgentsReloaded } from './agent.ts';
import { AnswerMessage, ChatAnswer, ChatPreview, ChatRequest, EngineOptions } from './chat.ts';
import {
  ContextReceipt,
  ContextWindowConfig,
  ContextWindowInfo,
  ContextWindowInput,
} from './context-window.ts';
import { ImportAnswer, MessageLine, SessionLine, TurnLine } from './jsonl.ts';
import { McpServer, McpServerList } from './mcp.ts';
import { Message, Sibling, TreeMessage } from './message.ts';
import { Model } from './model.ts';
import { PULL_EVENTS, PullEvent, PullModel } from './model-pull.ts';
import { OriginalFile } from './original-file.ts';
import { CreatePrompt, Prompt, PromptInput, PromptListItem } from './prompt.ts';
import { SearchAnswer, SearchResult } from './search.ts';
import { PullState, SERVER_EVENTS, ServerEventSchema } from './server-event.ts';
import {
  CreateSession,
  EditedMessage,
  EditMessageInput,
  ForkInput,
  HeadInput,
  PatchSession,
  Session,
  SessionHead,
  SessionListItem,
  SessionStatus,
  SessionSummary,
  SessionWithMessages,
  SystemPromptAnswer,
  SystemPromptInput,
} from './session.ts';
import { LatestSummary, SummarizeInput, WrittenSummary } from './summary.ts';
import {
  AgentSettings,
  AgentSettingsInput,
  ExecutedToolCall,
  RunToolInput,
  StoredToolCall,
  ToolInfo,
  ToolList,
  ToolRun,
  ToolSettings,
  ToolSettingsInput,
  ToolsReloaded,
} from './tool.ts';
import { ErrorEnvelope, ErrorObject, Turn, TurnUsage } from './turn.ts';
import { TURN_EVENTS, TurnEventSchema } from './turn-event.ts';
import { SnapshotMessage, SnapshotToolCall, TurnSnapshot } from './turn-snapshot.ts';

export const NAMED_SCHEMAS: readonly TSchema[] = [
  PullEvent,
  PullModel,
  PullState,
  ServerEventSchema,
  ...Object.values(SERVER_EVENTS),
  ...Object.values(PULL_EVENTS),
  AgentDetail,
  AgentInfo,
  AgentList,
  AgentSettings,
  AgentSettingsInput,
  AgentsReloaded,
  AnswerMessage,
  ChatAnswer,
  ChatPreview,
  ChatRequest,
  ContextReceipt,
  ContextWindowConfig,
  ContextWindowInfo,
  ContextWindowInput,
  CreatePrompt,
  CreateSession,
  EditedMessage,
  EditMessageInput,
  EngineOptions,
  ErrorEnvelope,
  ErrorObject,
  ExecutedToolCall,
  ForkInput,
  HeadInput,
  ImportAnswer,
  LatestSummary,
  Message,
  MessageLine,
  Model,
  OriginalFile,
  PatchSession,
  Prompt,
  PromptInput,
  PromptListItem,
  RunToolInput,
  SearchAnswer,
  SearchResult,
  Session,
  SessionHead,
  SessionLine,
  SessionListItem,
  SessionStatus,
  SessionSummary,
  SessionWithMessages,
  Sibling,
  SnapshotMessage,
  SnapshotToolCall,
  StoredToolCall,
  SummarizeInput,
  SystemPromptAnswer,
  SystemPromptInput,
  ToolInfo,
  ToolList,
  ToolRun,
  ToolSettings,
  ToolSettingsInput,
  McpServer,
  McpServerList,
  ToolsReloaded,
  TreeMessage,
  Turn,
  TurnEventSchema,
  ...Object.values(TURN_EVENTS),
  TurnLine,
  TurnSnapshot,
  TurnUsage,
  WrittenSummary,
];
