/** What a tool has at hand, made up: for tests that run a tool without a server. */
import { createUserContext, type UserFields } from '../../src/auth/user.ts';
import type { AskingContext, ToolContext } from '../../src/mcp/tool.ts';
import { NO_SERVICES } from '../../src/server/services.ts';
import { createMemoryLog } from './memory-log.ts';

/** What a test may want to have otherwise. */
export interface ToolContextOptions {
  readonly user?: UserFields;
  readonly connection?: ToolContext['connection'];
  /** Stands for the services that the tool asks for. */
  readonly use?: ToolContext['use'];
  /** What the user answers; as it stands, the client cannot ask. */
  readonly elicit?: AskingContext['elicit'];
}

/** Makes a context. */
export function createToolContext({
  user = { userId: 'ada', name: 'Ada Lovelace' },
  use = NO_SERVICES.use,
  connection = { transport: 'sse', protocolVersion: '2024-11-05' },
  elicit = async () => ({ action: 'unavailable' }),
}: ToolContextOptions = {}): AskingContext {
  return {
    user: createUserContext(user),
    use,
    log: createMemoryLog().log,
    signal: new AbortController().signal,
    connection,
    elicit,
    progress: async () => undefined,
  };
}
