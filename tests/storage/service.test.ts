/** The database as a service: what a server does whose database is away, and what an operator reads. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';
import { openServices } from '../../src/server/services.ts';
import { defineDatabase } from '../../src/storage/service.ts';
import { sql } from '../../src/storage/statement.ts';
import { parseConfig } from '../../src/config/config.ts';
import { createMemoryLog } from '../support/memory-log.ts';
import { PASSWORD } from '../support/postgres.ts';
import { createSandbox } from '../support/process.ts';
import { callTool, openMcpSession } from '../support/raw-http.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

const database = defineDatabase({ owner: 'none', steps: [] });

/** A tool that needs the database. */
const askDatabase = defineTool({
  name: 'ask_database',
  title: 'Ask the database',
  description: 'Asks it.',
  input: z.object({}),
  run: async (_input, { use }) => String((await use(database).query(sql`select 1 as one`))[0]?.['one']),
});

/** A tool that does not. */
const greet = defineTool({
  name: 'greet',
  title: 'Greet',
  description: 'Greets.',
  input: z.object({}),
  run: () => 'Hello!',
});

describe('a server whose database is away', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({
      // Nobody listens on the port of tcpmux.
      env: { DATABASE_URL: `postgres://mcp:${PASSWORD}@127.0.0.1:1/none` },
      services: [database],
      tools: [askDatabase, greet],
    });
  });
  afterAll(async () => server.close());

  test('is alive but not ready, and says that the database is missing', async () => {
    const [health, ready] = await Promise.all([fetch(`${server.url}/health`), fetch(`${server.url}/ready`)]);

    expect(health.status).toBe(200);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'unavailable: database' }]);
  });

  test('answers calls that need it with an error for the model, and other calls as usual', async () => {
    const session = await openMcpSession(server.url, ADA);

    const needing = await session.post(callTool(1, 'ask_database'));
    const other = await session.post(callTool(2, 'greet'));

    expect(needing.body).toMatchObject({
      result: { isError: true, content: [{ text: expect.stringContaining('The database cannot be reached at the moment') }] }, // prettier-ignore
    });
    expect(other.body).toMatchObject({ result: { content: [{ text: 'Hello!' }] } });
    expect(server.lines.find(({ msg }) => msg === 'database cannot be reached')).toMatchObject({
      service: 'database',
      reason: 'ECONNREFUSED',
    });
    expect(JSON.stringify(server.lines)).not.toContain(PASSWORD);
  });
});

describe('on Replit', () => {
  const sandbox = createSandbox();
  afterAll(async () => sandbox.close());

  test.each([
    ['a deployment', { REPLIT_DEPLOYMENT: '1' }, 1],
    ['a workspace, whose disk stays', { REPL_ID: 'x' }, 0],
  ])('a file in %s is warned of as its disk deserves', async (_where, env, warnings) => {
    const { log, lines } = createMemoryLog();
    const { own } = parseConfig({ ...env, AUTH_TOKENS: 'tok_ada_0123456789_0123456789' }, database.variables);

    const open = await openServices({
      services: [database],
      values: own,
      log,
      folder: await sandbox.folder(),
    });
    await open.close();

    const warned = lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warned).toEqual(
      Array.from({ length: warnings }, () => expect.stringMatching(/lost .* Set DATABASE_URL/)),
    );
  });
});

describe('DATABASE_URL', () => {
  test.each([
    ['postgres://ada:secret@db.example:5432/mcp', { dialect: 'postgres', url: 'postgres://ada:secret@db.example:5432/mcp' }],
    ['postgresql://db.example/mcp?sslmode=require', { dialect: 'postgres', url: 'postgresql://db.example/mcp?sslmode=require' }],
    ['postgres://ada:100%25@%2Frun%2Fpostgresql/mcp', { dialect: 'postgres', url: 'postgres://ada:100%25@%2Frun%2Fpostgresql/mcp' }],
    ['sqlite:100%.db', { dialect: 'sqlite', file: '100%.db', isLostWithDeployment: false }],
    ['sqlite:data/x.db', { dialect: 'sqlite', file: 'data/x.db', isLostWithDeployment: false }],
    ['sqlite:///var/x.db', { dialect: 'sqlite', file: '/var/x.db', isLostWithDeployment: false }],
    ['', { dialect: 'sqlite', file: 'data/server.db', isLostWithDeployment: false }],
  ])('%s is understood', (DATABASE_URL, storage) => {
    expect(parseConfig({ DATABASE_URL }).storage).toEqual(storage);
  }); // prettier-ignore

  test.each(['mysql://x', 'postgres:x', 'sqlite:', 'sqlite::memory:', 'sqlite://x.db', 'data/x.db', 'postgres://ada:sec ret@', 'postgres://ada:pa55%@db.example/mcp', 'postgres://ada:pa55%ff@db.example/mcp', 'postgres://db.example/mcp%', 'postgres://ada:55#word@db.example/mcp', 'postgres://ada:55/word@db.example/mcp'])('%s is refused without being shown', (DATABASE_URL) => {
    expect(() => parseConfig({ DATABASE_URL })).toThrow(
      /^The configuration cannot be used:\n {2}DATABASE_URL must be postgres:\/\/user:password@host\/database or sqlite:path\/to\/file; in its user name or password write % as %25[^\n]*$/,
    );
  }); // prettier-ignore
});
