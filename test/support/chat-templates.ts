// Chat templates as GGUF files carry them.

/** The prompt opens the thinking itself. */
export const OPENING_TEMPLATE =
  "{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}{% if add_generation_prompt %}[assistant]{{ '<think>' if enable_thinking else '' }}{% endif %}";

/** Has no role for a system prompt, and says so. */
export const NO_SYSTEM_TEMPLATE =
  "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}[end]{% endfor %}[assistant]";

/**
 * What the template of Qwen3 asks of whoever renders it, and what it makes of it: tools as JSON lines in the system
 * message, thoughts kept only after the last question, calls and results between marks, an empty thought where
 * thinking is off.
 */
export const QWEN_TEMPLATE = `{%- macro open(role) %}{{ '<|im_start|>' + role + '\\n' }}{% endmacro %}
{%- set system = messages[0].content if messages[0].role == 'system' else '' %}
{%- if tools %}
    {{- open('system') }}
    {{- system + '\\n\\n' if system else '' }}
    {{- '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n' }}
    {{- 'You are provided with function signatures within <tools></tools> XML tags:\\n<tools>' }}
    {%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
    {{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within ' }}
    {{- '<tool_call></tool_call> XML tags:\\n<tool_call>\\n{"name": <function-name>, "arguments": <args-json-object>}\\n' }}
    {{- '</tool_call><|im_end|>\\n' }}
{%- elif system %}
    {{- open('system') + system + '<|im_end|>\\n' }}
{%- endif %}
{%- set asked = namespace(last=messages | length - 1, isFound=false) %}
{%- for message in messages[::-1] %}
    {%- if not asked.isFound and message.role == 'user' and not message.content.startswith('<tool_response>') %}
        {%- set asked.isFound = true %}
        {%- set asked.last = messages | length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
        {{- open(message.role) + message.content + '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {%- set thoughts = message.reasoning_content if message.reasoning_content is defined else '' %}
        {{- open('assistant') }}
        {%- if loop.index0 > asked.last and (loop.last or thoughts) %}
            {{- '<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- message.content.lstrip('\\n') }}
        {%- for call in message.tool_calls or [] %}
            {{- '\\n' if message.content or not loop.first else '' }}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user' if loop.first or messages[loop.index0 - 1].role != 'tool' else '' }}
        {{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {{- '<|im_end|>\\n' if loop.last or messages[loop.index0 + 1].role != 'tool' else '' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- open('assistant') }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}`;
