/** What a tool has at hand, made up: for tests that run a tool without a server. */
import { createUserContext, type UserFields } from '../../src/auth/user.ts';
import type { AskingContext, ToolContext } from '../../src/mcp/tool.ts';
import { NO_SERVICES } from '../../src/server/services.ts';
import { createMemoryLog } from './memory-log.ts';

/** What a test may want to have otherwise. */
export interface ToolContextOptions {
  readonly user?: UserFields;
  readonly connection?: Omit<ToolContext['connection'], 'pause'>;
  /** Stands for the services that the tool asks for. */
  readonly use?: ToolContext['use'];
  /** What the user answers; as it stands, the client cannot ask. */
  readonly elicit?: AskingContext['elicit'];
  /** Hears which lists have changed. */
  readonly listChanged?: ToolContext['listChanged'];
}

/** Makes a context. */
export function createToolContext({
  user = { userId: 'ada', name: 'Ada Lovelace' },
  use = NO_SERVICES.use,
  connection = { transport: 'sse', protocolVersion: '2024-11-05' },
  elicit = async () => ({ action: 'unavailable' }),
  listChanged = () => undefined,
}: ToolContextOptions = {}): AskingContext {
  return {
    user: createUserContext(user),
    use,
    log: createMemoryLog().log,
    traceHeaders: {},
    signal: new AbortController().signal,
    connection: new StayingConnection(connection),
    elicit,
    progress: async () => undefined,
    listChanged,
  };
}

/** A connection whose client is never sent away; `pause` is no field of it, as in a server, so that it can be spread. */
class StayingConnection {
  readonly transport: ToolContext['connection']['transport'];
  readonly protocolVersion: string;

  constructor({ transport, protocolVersion }: Omit<ToolContext['connection'], 'pause'>) {
    this.transport = transport;
    this.protocolVersion = protocolVersion;
  }

  pause(): boolean {
    return false;
  }
}
