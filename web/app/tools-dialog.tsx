// What the model may use in this conversation: tools, agents, and whether somebody is asked before.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AgentInfo, ToolInfo } from '../../src/client/index.ts';
import { d } from '../lang/dialog-text.ts';
import { type ChatTools, chatTools, hasTool, setChatTools } from '../state/chat-tools.ts';
import { mochi } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { useTrial } from '../ui/use-trial.ts';
import type { DialogProps } from './dialogs.tsx';

interface Offered {
  readonly tools: readonly ToolInfo[];
  readonly agents: readonly AgentInfo[];
}

export function ToolsDialog({ onClose }: DialogProps) {
  const [offered, setOffered] = useState<Offered | null>(null);
  const { fault, attempt } = useTrial();
  const [own, setOwn] = useState(chatTools);
  const newest = useRef(own);
  useEffect(() => {
    void attempt(async () => {
      const [tools, agents] = await Promise.all([mochi.tools.list(), mochi.agents.list()]);
      setOffered({ tools: Object.values(tools.tools), agents: Object.values(agents.agents) });
    });
  }, [attempt]);
  const change = async (changed: Partial<ChatTools>) => {
    const wanted = { ...own, ...changed };
    setOwn(wanted);
    newest.current = wanted;
    // Others may have been switched meanwhile.
    if (!(await attempt(() => setChatTools(wanted))) && newest.current === wanted) setOwn(chatTools);
  };
  const toggleTool = (name: string, isOn: boolean) => {
    // What a pattern stood for is named from now on, so that one of it can be left out.
    const named = (offered?.tools ?? []).map((tool) => tool.name).filter((tool) => hasTool(own.tools, tool));
    void change({ tools: isOn ? [...named, name] : named.filter((tool) => tool !== name) });
  };
  const toggleAgent = (name: string, isOn: boolean) =>
    void change({ agents: isOn ? [...own.agents, name] : own.agents.filter((agent) => agent !== name) });
  const isEmpty = offered !== null && offered.tools.length + offered.agents.length === 0;
  return (
    <Dialog title={d.tools.title} onClose={onClose}>
      <p class="hint">{isEmpty ? d.tools.none : d.tools.hint}</p>
      {fault !== null && <p role="alert">{fault}</p>}
      {offered !== null && !isEmpty && (
        <label class="check">
          <input
            type="checkbox"
            checked={own.asks}
            onChange={({ currentTarget: { checked } }) => void change({ asks: checked })}
          />
          <span>
            {d.tools.asks}
            {!own.asks && <small>{d.tools.unasked}</small>}
          </span>
        </label>
      )}
      <Choices
        title={d.tools.tools}
        choices={(offered?.tools ?? []).map(({ name, description, read_only: isReadOnly }) => ({
          name,
          description,
          note: isReadOnly ? d.tools.readOnly : null,
          isOn: hasTool(own.tools, name),
          isUsable: true,
        }))}
        onToggle={toggleTool}
      />
      <Choices
        title={d.tools.agents}
        choices={(offered?.agents ?? []).map(({ name, description, valid }) => ({
          name,
          description: description ?? '',
          note: valid ? null : d.tools.unusable,
          isOn: own.agents.includes(name),
          isUsable: valid,
        }))}
        onToggle={toggleAgent}
      />
    </Dialog>
  );
}

interface Choice {
  readonly name: string;
  readonly description: string;
  readonly note: string | null;
  readonly isOn: boolean;
  readonly isUsable: boolean;
}

interface ChoicesProps {
  readonly title: string;
  readonly choices: readonly Choice[];
  readonly onToggle: (name: string, isOn: boolean) => void;
}

function Choices({ title, choices, onToggle }: ChoicesProps) {
  if (choices.length === 0) return null;
  return (
    <fieldset class="choices">
      <legend>{title}</legend>
      {choices.map(({ name, description, note, isOn, isUsable }) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={isOn}
            disabled={!isUsable && !isOn}
            onChange={({ currentTarget: { checked } }) => onToggle(name, checked)}
          />
          <span>
            <strong>{name}</strong>
            {note !== null && <em>{note}</em>}
            <small dir="auto">{description}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
