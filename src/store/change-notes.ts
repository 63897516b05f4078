// What was changed by this connection, told once it is committed. Triggers of the connection itself note it, so that no
// way of changing anything can be forgotten.
import type SqliteDriver from 'better-sqlite3';

/** Which thing is not what it was; what it is now is read by whoever wants to know. */
const KINDS = ['session', 'turn', 'approval'] as const;

export interface StoreChange {
  readonly kind: (typeof KINDS)[number];
  readonly id: string;
}

export interface ChangeListener {
  /** After each commit that changed what clients list. */
  changed(changes: readonly StoreChange[]): void;
  /** Another process has written: an import beside the server. Nobody knows what. */
  othersWrote(): void;
}

export interface ChangeNotes {
  /** Nothing is noted before. */
  onChange(listener: ChangeListener): void;
  /** What was changed since it was last asked for. */
  take(): StoreChange[];
  /** What was changed counts from here on. */
  tell(changes: readonly StoreChange[]): void;
  /**
   * Looks whether others have written since the last look.
   * @param rewrites how often the file was rewritten on behalf of this process, which is no change
   */
  lookForOthers(rewrites: number): void;
}

/**
 * What `GET /sessions` tells of a session; whoever is hidden before and after, nobody hears of, nor of chats of agents
 * and of sessions that it does not list.
 */
const TRIGGERS = `
create temp trigger note_new_session after insert on session_rows when new.hidden is null and new.kind = 'chat' and new.listed = 1
begin select note_change('session', new.id); end;

create temp trigger note_session after update of title, updated_at, head_depth, system_id, hidden, listed on session_rows
when (old.hidden is null or new.hidden is null) and new.kind = 'chat' and new.listed = 1
begin select note_change('session', new.id); end;

create temp trigger note_gone_session after delete on session_rows when old.hidden is null and old.kind = 'chat' and old.listed = 1
begin select note_change('session', old.id); end;

create temp trigger note_new_turn after insert on turns
when exists (select 1 from session_rows where id = new.session_id and hidden is null and kind = 'chat' and listed = 1)
begin select note_change('session', new.session_id), note_change('turn', new.id); end;

create temp trigger note_turn after update of state, finished_at on turns
when exists (select 1 from session_rows where id = new.session_id and hidden is null and kind = 'chat' and listed = 1)
begin select note_change('session', new.session_id), note_change('turn', new.id); end;

create temp trigger note_new_approval after insert on approvals
begin select note_change('approval', new.id); end;

create temp trigger note_approval after update of change on approvals
begin select note_change('approval', new.id); end;
`;

export function createChangeNotes(driver: SqliteDriver.Database): ChangeNotes {
  /** Of a transaction that is rolled back, too: then it is told, and nothing is found to have changed. */
  const noted = new Map<string, StoreChange>();
  let told: ChangeListener | null = null;
  let known = { version: readVersion(driver), rewrites: 0 };
  return {
    onChange(listener) {
      told = listener;
      driver.function('note_change', (kind, id) => {
        const known = KINDS.find((one) => one === kind);
        if (known !== undefined) noted.set(`${known} ${id}`, { kind: known, id: String(id) });
        return null;
      });
      driver.exec(TRIGGERS);
      known = { ...known, version: readVersion(driver) };
    },
    take() {
      const changes = [...noted.values()];
      noted.clear();
      return changes;
    },
    tell(changes) {
      if (changes.length > 0) told?.changed(changes);
    },
    lookForOthers(rewrites) {
      const before = known;
      known = { version: readVersion(driver), rewrites };
      if (known.version !== before.version && rewrites === before.rewrites) told?.othersWrote();
    },
  };
}

/** Another one whenever another connection has written. */
function readVersion(driver: SqliteDriver.Database): unknown {
  return driver.pragma('data_version', { simple: true });
}
