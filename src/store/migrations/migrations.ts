// The list of migrations, in order. Never edit one that has been released: add the next.
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { m001SessionsMessagesTurns } from './m001-sessions-messages-turns.ts';
import { m002IdempotentTurns } from './m002-idempotent-turns.ts';
import { m003PromptMarks } from './m003-prompt-marks.ts';
import { m004Search } from './m004-search.ts';
import { m005BackgroundJobs } from './m005-background-jobs.ts';
import { m006FinishReasons } from './m006-finish-reasons.ts';
import { m007HiddenSessions } from './m007-hidden-sessions.ts';
import { m008DenseText } from './m008-dense-text.ts';
import { m009QuietIndex } from './m009-quiet-index.ts';
import { m010EraseDue } from './m010-erase-due.ts';
import { m011MeantCalls } from './m011-meant-calls.ts';
import { m012JournalAndApprovals } from './m012-journal-and-approvals.ts';
import { m013AgentChats } from './m013-agent-chats.ts';
import { m014Dialects } from './m014-dialects.ts';
import { m015Instances } from './m015-instances.ts';
import { m016PostgresSearch } from './m016-postgres-search.ts';
import { m017FewerPages } from './m017-fewer-pages.ts';
import { m018PromptFiles } from './m018-prompt-files.ts';
import { m019EngineSlots } from './m019-engine-slots.ts';

function step(up: (db: Kysely<unknown>) => Promise<void>): Migration {
  return { up };
}

export const MIGRATIONS: Readonly<Record<string, Migration>> = Object.freeze({
  '001_sessions_messages_turns': step(m001SessionsMessagesTurns),
  '002_idempotent_turns': step(m002IdempotentTurns),
  '003_prompt_marks': step(m003PromptMarks),
  '004_search': step(m004Search),
  '005_background_jobs': step(m005BackgroundJobs),
  '006_finish_reasons': step(m006FinishReasons),
  '007_hidden_sessions': step(m007HiddenSessions),
  '008_dense_text': step(m008DenseText),
  '009_quiet_index': step(m009QuietIndex),
  '010_erase_due': step(m010EraseDue),
  '011_meant_calls': step(m011MeantCalls),
  '012_journal_and_approvals': step(m012JournalAndApprovals),
  '013_agent_chats': step(m013AgentChats),
  '014_dialects': step(m014Dialects),
  '015_instances': step(m015Instances),
  '016_postgres_search': step(m016PostgresSearch),
  '017_fewer_pages': step(m017FewerPages),
  '018_prompt_files': step(m018PromptFiles),
  '019_engine_slots': step(m019EngineSlots),
});
