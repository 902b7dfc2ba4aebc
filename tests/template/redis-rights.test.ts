/** The rights that docs/07_MANY_INSTANCES.md gives to the user of Redis are those with which the tests use it. */
import { expect, test } from '@jest/globals';
import { SERVER_RIGHTS } from '../support/redis.ts';
import { readDocument } from './documents.ts';

test('the user of Redis has the rights with which the tests use it', async () => {
  const { text } = await readDocument('docs/07_MANY_INSTANCES.md');

  expect(text).toContain(`ACL SETUSER mcp on >PASSWORD ~mcp:* &mcp:* ${SERVER_RIGHTS}\n`);
});
