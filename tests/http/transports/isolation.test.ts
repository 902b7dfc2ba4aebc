/** Many users with equal request ids at once: each gets their own answers and nobody else's, on every transport. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { callTool, openMcpSession, send, stateless } from '../../support/raw-http.ts';
import { amountOf } from '../../support/reduced.mjs';
import { openSse } from '../../support/sse-reader.ts';
import { startTestServer, type TestServer } from '../../support/start-server.ts';

const USERS = Array.from({ length: amountOf('isolatedUsers') }, (_, index) => ({
  token: `tok_isolation_${index}_0123456789`,
  userId: `user-${index}`,
}));

let server: TestServer;
beforeAll(async () => {
  const tokens = Object.fromEntries(
    USERS.map(({ token, userId }) => [token, { userId, name: `Name of ${userId}` }]),
  );
  server = await startTestServer({ tokens });
});
afterAll(async () => {
  await server.close();
});

/** Makes a user's calls on one transport, with the ids 1 to 5; resolves to the texts of the answers and how many messages there were. */
const TRANSPORTS: Record<string, (user: { token: string; userId: string }) => Promise<string[]>> = {
  async sse({ token, userId }) {
    const session = await openSse(server.url, token);
    const answers = [1, 2, 3, 4, 5].map(async (id) => {
      await session.post(callTool(id, 'echo_message', { message: `${userId} asks ${id}` }));
      return JSON.stringify(await session.answerTo(id));
    });
    const texts = await Promise.all(answers);
    const strangers = session.messages().length;
    session.close();
    return [...texts, `${strangers} messages`];
  },
  async 'streamable-http'({ token, userId }) {
    const session = await openMcpSession(server.url, token);
    const answers = [1, 2, 3, 4, 5].map(async (id) =>
      session.post(callTool(id, 'echo_message', { message: `${userId} asks ${id}` })),
    );
    return [...(await Promise.all(answers)).map(({ text }) => text), '5 messages'];
  },
  async stateless({ token, userId }) {
    const answers = [1, 2, 3, 4, 5].map(async (id) => {
      const params = { name: 'echo_message', arguments: { message: `${userId} asks ${id}` } };
      return send(`${server.url}/mcp`, stateless({ method: 'tools/call', params }, { id, token }));
    });
    return [...(await Promise.all(answers)).map(({ text }) => text), '5 messages'];
  },
};

test("no user gets the answer to another user's request, and no answer comes twice", async () => {
  const kinds = Object.values(TRANSPORTS);

  const heard = await Promise.all(
    USERS.map(async (user, index) => ({ user, texts: (await kinds[index % kinds.length]?.(user)) ?? [] })),
  );

  for (const { user, texts } of heard) {
    expect(texts).toHaveLength(6);
    expect(texts[5]).toBe('5 messages');
    for (const [index, text] of texts.slice(0, 5).entries()) {
      expect(text).toContain(`"${user.userId} asks ${index + 1}"`);
      expect(text).toContain(`"id":${index + 1}`);
    }
  }
}, 60_000);
