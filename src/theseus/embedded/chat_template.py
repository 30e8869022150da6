"""The chat template of the shipped model: how messages and tools become its prompt.

The template inside the weights knows no tools. A model this small learns from examples only, so the prompt
shows it a plain answer and, when the calculator is offered, a few calculations.
"""

CHAT_TEMPLATE = r"""
{%- if tools %}
{{- '<|im_start|>system\n' }}
{%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
{{- "Functions:" }}
{%- for tool in tools %}
{{- "\n- " + tool.function.name + "(" }}
{%- for name in tool.function.parameters.properties %}{{- name }}{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}
{{- "): " + tool.function.description.split("\n")[0] }}
{%- endfor %}
{{- "\n\nTo call a function, write only:\n<tool_call>\n" }}
{{- '{"name": "function", "arguments": {"argument": "value"}}\n</tool_call><|im_end|>\n' }}
{{- '<|im_start|>user\nWhat is the capital of Spain?<|im_end|>\n' }}
{{- '<|im_start|>assistant\nThe capital of Spain is Madrid.<|im_end|>\n' }}
{%- for tool in tools if tool.function.name == 'calculator' %}
{%- for sum, value in [('6 * 7', '42'), ('120 + 15', '135'), ('2301 * 44', '101244'), ('96 / 8', '12'), ('31 * 19', '589')] %}
{{- '<|im_start|>user\nUse the calculator: what is ' + sum + '?<|im_end|>\n<|im_start|>assistant\n<tool_call>\n' }}
{{- '{"name": "calculator", "arguments": {"expression": "' + sum + '"}}\n</tool_call><|im_end|>\n' }}
{{- '<|im_start|>user\n<tool_response>\n' + value + '\n</tool_response><|im_end|>\n' }}
{{- '<|im_start|>assistant\n' + sum + ' = ' + value + '.<|im_end|>\n' }}
{%- endfor %}
{%- endfor %}
{%- elif messages[0].role == 'system' %}
{{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
{{- '<|im_start|>user\nWhat is the largest ocean?<|im_end|>\n' }}
{{- '<|im_start|>assistant\nThe largest ocean is the Pacific Ocean.<|im_end|>\n' }}
{%- endif %}
{%- for message in messages %}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) %}
{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|im_start|>assistant' }}
{%- if message.content %}{{- '\n' + message.content }}{%- endif %}
{%- for tool_call in message.tool_calls or [] %}
{%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
{{- '\n<tool_call>\n{"name": "' + tool_call.name + '", "arguments": ' }}
{{- tool_call.arguments | tojson }}
{{- '}\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\n' }}
{%- elif message.role == 'tool' %}
{{- '<|im_start|>user\n<tool_response>\n' + message.content + '\n</tool_response><|im_end|>\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}
""".strip()
