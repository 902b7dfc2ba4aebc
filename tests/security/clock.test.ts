/** The wall clock of the machine goes back by an hour, as some do at the start or by hand: no duration notices. */
import { afterEach, expect, test } from '@jest/globals';
import { builtFile, createSandbox, waitFor } from '../support/process.ts';
import { initialize, openMcpSession, openRaw, send } from '../support/raw-http.ts';
import { parseLog, TOKEN, WITH_TOKENS } from '../support/server-process.ts';

const sandbox = createSandbox();
afterEach(sandbox.close);

/** Preloaded into the server: an hour less with SIGUSR2. */
const CLOCK = `const { now } = Date;
  let back = 0;
  Date.now = () => now() - back;
  process.on('SIGUSR2', () => { back = 3_600_000; process.stdout.write('back'); });`;

test('heartbeats go on, and idle sessions end', async () => {
  const started = sandbox.spawn({
    args: ['--import', `data:text/javascript,${encodeURIComponent(CLOCK)}`, builtFile('src/main.js')],
    cwd: await sandbox.folder(WITH_TOKENS.files),
    env: {
      PORT: '0',
      ...WITH_TOKENS.env,
      SSE_KEEPALIVE_SECONDS: '1',
      SESSION_IDLE_SECONDS: '1',
      MAX_SESSIONS_PER_USER: '2',
    },
  });
  const listening = await waitFor('listening', () =>
    parseLog(started.stderr()).find(({ msg }) => msg === 'listening'),
  );
  const url = String(listening['url']);
  const stream = await openRaw(url);
  stream.write(`GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN.ada}\r\n\r\n`);
  await stream.waitFor(/event: endpoint/);
  await openMcpSession(url, TOKEN.ada);

  started.child.kill('SIGUSR2');
  await waitFor('the clock to go back', () => started.stdout() === 'back');
  const beats = (stream.received().match(/: keepalive/g) ?? []).length;
  await waitFor('two heartbeats', () => (stream.received().match(/: keepalive/g) ?? []).length >= beats + 2);
  const next = await waitFor('the session to make room for another', async () => {
    const { status } = await send(`${url}/mcp`, { token: TOKEN.ada, body: initialize() });
    return status === 200 && status;
  });

  expect(next).toBe(200);
});
