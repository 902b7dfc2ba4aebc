/** The lab's own server, with counts in `/metrics` as if each of many users had called each of many tools. */
import { channel } from 'node:diagnostics_channel';
import { runServer } from '../../src/server/run-server.ts';
import { CALL_ENDED, type CallEvent } from '../../src/mcp/call-records.ts';
import { fixtureTools } from '../fixture/tools.mjs';
import { toolOf, TOOLS, userOf, USERS } from './measure/metrics-row.ts';

await runServer({ tools: fixtureTools, features: [] }, process.env);

const ended = channel(CALL_ENDED);
for (let user = 0; user < USERS; user += 1)
  for (let tool = 0; tool < TOOLS; tool += 1) {
    const event: CallEvent = {
      method: 'tools/call',
      kind: 'tool',
      name: toolOf(tool),
      userId: userOf(user),
      tokenId: 'bench',
      client: undefined,
      transport: 'streamable-http',
      protocolVersion: '2025-11-25',
      requestId: 'bench',
      trace: undefined,
      beganMs: 0,
      outcome: 'ok',
      durationMs: 1,
    };
    ended.publish(event);
  }
