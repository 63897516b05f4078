// The words of what is fetched when it is opened first: options, the preview, models, prompts, branches, keys.

const number = new Intl.NumberFormat();

export const d = {
  options: {
    title: 'How it is sent',
    hint: 'For this conversation, kept in this browser. What is empty is the model’s own.',
    temperature: 'Temperature',
    top_p: 'Top-p',
    seed: 'Seed',
    num_predict: 'Longest answer, in tokens',
    stop: 'Stop at these words, one a line',
    json: 'Answer as JSON',
    reset: 'As the model has it',
    wrong: (name: string, min: number, max: number | null) =>
      max === null
        ? `${name}: a number from ${number.format(min)} on`
        : `${name}: a number between ${number.format(min)} and ${number.format(max)}`,
    whole: (name: string) => `${name}: a whole number`,
  },
  preview: {
    title: 'What would be sent',
    none: 'There is nothing to show.',
    request: 'The exact request',
    picture: (length: number) => `a picture, ${number.format(length)} characters of base64`,
  },
  models: {
    loaded: (seconds: number | null) => {
      if (seconds === null || seconds > 86_400) return 'in memory';
      return seconds < 60
        ? 'in memory, for less than a minute'
        : `in memory, for ${number.format(Math.round(seconds / 60))} min`;
    },
    delete: 'Delete',
    deleteFor: (name: string) => `Delete ${name}`,
    deleteAsk: (name: string, size: string) =>
      `Delete ${name} (${size}) from the disk? It can be fetched again.`,
  },
  tools: {
    title: 'Tools and agents',
    hint: 'What the model may use in this chat.',
    tools: 'Tools',
    agents: 'Agents',
    none: 'The server has no tools and no agents: docs/tools.md and docs/agents.md say how it gets some.',
    asks: 'Ask me before each call',
    unasked: 'Calls run unasked, as far as the operator allows.',
    readOnly: 'changes nothing',
    unusable: 'cannot be used',
  },
  keys: {
    title: 'Keys',
    groups: [
      {
        name: 'Everywhere',
        keys: [
          ['Ctrl K', 'search'],
          ['Ctrl Shift O', 'a new chat'],
          ['Ctrl B', 'the list'],
          ['Alt ↑ ↓', 'the conversation before, after'],
          ['?', 'this list'],
        ],
      },
      {
        name: 'Where you write',
        keys: [
          ['Enter', 'send, also what is edited'],
          ['Shift Enter', 'a new line'],
          ['Ctrl Enter', 'send, whatever Enter does'],
          ['↑', 'with nothing written: edit your last message'],
          ['Esc', 'stop the answer'],
        ],
      },
      {
        name: 'On a message (Tab leads to the newest)',
        keys: [
          ['j k', 'the next one, the one before'],
          ['e', 'edit'],
          ['r', 'answer again'],
          ['c', 'copy'],
          ['[ ]', 'earlier version, later version'],
          ['t', 'thoughts'],
          ['i', 'what the model was sent'],
          ['a d', 'on a question: approve, deny'],
          ['Esc', 'back to where you write'],
        ],
      },
    ],
  },
  branches: {
    title: 'Branches',
    none: 'This conversation has one way so far. Edit a message, or have one answered again: what was there stays, and stands here.',
    length: (count: number) => (count === 1 ? '1 message' : `${number.format(count)} messages`),
  },
  prompts: {
    title: 'System prompts',
    here: 'In this chat',
    none: 'No system prompt',
    own: 'A text of its own',
    edit: 'Edit',
    editFor: (name: string) => `Edit ${name}`,
    deleteFor: (name: string) => `Delete ${name}`,
    remove: 'Take it out',
    empty: 'No files yet. A prompt that you use often is worth one.',
    use: 'Use in this chat',
    useOf: (name: string) => `Use ${name} in this chat`,
    used: 'used here',
    words: (count: number) => (count === 1 ? '1 word' : `${number.format(count)} words`),
    create: 'New file',
    name: 'Name of the file',
    text: 'Text',
    save: 'Save',
    back: 'Back',
    delete: 'Delete',
    deleteAsk: (name: string) => `Delete ${name} for good? Conversations keep what they were given.`,
  },
};
