/** A tool and a prompt that come and go while clients are connected, and the two tools that make them. */
import type { Feature } from '../../../src/mcp/feature.ts';
import { textResult } from './answers.ts';

/** Lists that change for all connections at once, and are announced through `changes`. */
export function createListChangesFeature(): Feature {
  const offered = { tool: false, prompt: false };
  return {
    name: 'list-changes',
    options: { capabilities: { tools: { listChanged: true }, prompts: { listChanged: true } } },
    register(server, { changes }) {
      const tool = server.registerTool(
        'test_dynamic_tool',
        { description: 'A tool that comes and goes.' },
        () => textResult('Still here.'),
      );
      const prompt = server.registerPrompt(
        'test_dynamic_prompt',
        { description: 'A prompt that comes and goes.' },
        () => ({
          messages: [{ role: 'user', content: { type: 'text', text: 'Still here.' } }],
        }),
      );
      // The SDK reads `enabled` whenever it lists or calls. This getter keeps the servers of all connections
      // in step without a list of servers, which stateless requests would make grow.
      Object.defineProperty(tool, 'enabled', { get: () => offered.tool });
      Object.defineProperty(prompt, 'enabled', { get: () => offered.prompt });

      server.registerTool(
        'test_trigger_tool_change',
        { description: 'Adds or removes test_dynamic_tool.' },
        () => {
          offered.tool = !offered.tool;
          changes.toolsChanged();
          return textResult(`test_dynamic_tool is ${offered.tool ? 'there' : 'gone'}.`);
        },
      );
      server.registerTool(
        'test_trigger_prompt_change',
        { description: 'Adds or removes test_dynamic_prompt.' },
        () => {
          offered.prompt = !offered.prompt;
          changes.promptsChanged();
          return textResult(`test_dynamic_prompt is ${offered.prompt ? 'there' : 'gone'}.`);
        },
      );
    },
  };
}
