/** `.env.example` names every variable of the configuration, and none that does not exist. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'dotenv';
import { parseConfig, parseStdioConfig } from '../../src/config/config.ts';
import { PLATFORM_VARIABLES } from '../../src/config/platforms.ts';
import type { Environment } from '../../src/config/environment.ts';
import { definition } from '../../src/definition.ts';
import { ownVariablesOf } from '../../src/server/server-definition.ts';
import { builtFile, ROOT } from '../support/process.ts';

/** What hosting platforms set, and nobody by hand. */
const SET_BY_PLATFORM = new Set(Object.keys(PLATFORM_VARIABLES));

/** A line that sets a variable, commented out or not. */
const ASSIGNMENT = /^#? ?([A-Z][A-Z0-9_]*)=(.*)$/gm;

/** The variables that stand in the file, in their order, with the values they have there. */
async function readExample(): Promise<{ name: string; value: string }[]> {
  const text = await readFile(path.join(ROOT, '.env.example'), 'utf8');
  return [...text.matchAll(ASSIGNMENT)].map(([, name = '', value = '']) => ({ name, value }));
}

/** The variables that the configurations ask for. */
function variablesOfConfig(): Set<string> {
  const asked = new Set<string>();
  const environment = new Proxy<Environment>({}, { get: (_target, name) => void asked.add(String(name)) });
  const own = ownVariablesOf(definition);
  parseConfig(environment, own);
  parseStdioConfig(environment, own);
  return asked;
}

test('.env.example names every variable of the configuration exactly once', async () => {
  const names = (await readExample()).map(({ name }) => name);

  const known = [...variablesOfConfig()].filter((name) => !SET_BY_PLATFORM.has(name));

  expect([...names].toSorted()).toEqual(known.toSorted());
});

test('.env.example sets nothing as it is: copied to .env, it keeps every default', async () => {
  const text = await readFile(path.join(ROOT, '.env.example'), 'utf8');

  expect(parse(text)).toEqual({});
});

test('.env.example shows values that the server accepts, alone and together', async () => {
  const example = await readExample();

  const all = Object.fromEntries(example.map(({ name, value }) => [name, value]));

  for (const { name, value } of example) expect(() => parseConfig({ [name]: value })).not.toThrow();
  expect(() => parseConfig(all)).not.toThrow();
  expect(() => parseStdioConfig(all)).not.toThrow();
});

test('.env.example shows the defaults where it says so', async () => {
  const example = await readExample();
  // What is an example of its own, because the default is nothing or depends on where the server runs.
  const ownExample =
    /^(NODE_ENV|AUTH_ENABLED|AUTH_TOKENS|MCP_TOKEN|PUBLIC_URL|ALLOWED_HOSTS|ALLOWED_ORIGINS|TOKENS_FILE|ADMIN_TOKEN|DATABASE_URL)$/;

  const defaults = example.filter(({ name }) => !ownExample.test(name));

  const environment = Object.fromEntries(defaults.map(({ name, value }) => [name, value]));
  // What is set and does nothing is told by name, whatever it says.
  expect({ ...parseConfig(environment), withoutEffect: undefined }).toEqual(parseConfig({}));
});

test('.env.example is what the command prints: npm run -s variables > .env.example', async () => {
  const text = await readFile(path.join(ROOT, '.env.example'), 'utf8');

  const printed = execFileSync(process.execPath, [builtFile('scripts/variables.js')], { encoding: 'utf8' });

  expect(text).toBe(printed);
});
