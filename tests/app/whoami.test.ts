/** The tool `whoami`. */
import { describe, expect, test } from '@jest/globals';
import { whoami } from '../../src/tools/whoami.ts';
import { createToolContext } from '../support/tool-context.ts';

describe('whoami', () => {
  test('tells user id, name, scopes, transport and protocol version, as its output schema has it', async () => {
    const context = createToolContext({
      user: { userId: 'ada', name: 'Ada Lovelace', scopes: ['greet', 'echo'] },
      connection: { transport: 'streamable-http', protocolVersion: '2025-11-25' },
    });

    const answer = await whoami.run({}, context);

    expect(whoami.output?.strict().parse(answer)).toEqual({
      userId: 'ada',
      name: 'Ada Lovelace',
      scopes: ['greet', 'echo'],
      transport: 'streamable-http',
      protocolVersion: '2025-11-25',
    });
  });

  test('leaves the scopes out for a user who has every tool, and tells an empty list as one', async () => {
    const every = await whoami.run({}, createToolContext({ user: { userId: 'ada' } }));
    const none = await whoami.run({}, createToolContext({ user: { userId: 'ada', scopes: [] } }));

    expect(every).not.toHaveProperty('scopes');
    expect(none).toHaveProperty('scopes', []);
  });

  test('tells nothing else of the user: metadata may be meant for the server alone', async () => {
    const context = createToolContext({ user: { userId: 'ada', metadata: { apiKey: 'SECRET' } } });

    expect(JSON.stringify(await whoami.run({}, context))).not.toContain('SECRET');
  });

  test('is for everybody: it needs no scope', () => {
    expect(whoami.scope).toBeUndefined();
  });
});
