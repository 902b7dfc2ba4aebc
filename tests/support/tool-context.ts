/** A made-up tool context, for tests that run a tool without a server. */
import { createUserContext, type UserFields } from '../../src/auth/user.ts';
import type { AskingContext, ToolContext } from '../../src/mcp/tool.ts';
import { NO_SERVICES } from '../../src/server/services.ts';
import { createMemoryLog } from './memory-log.ts';

/** What a test may change. */
export interface ToolContextOptions {
  readonly user?: UserFields;
  readonly connection?: Omit<ToolContext['connection'], 'pause'>;
  /** Returns the services that the tool uses. */
  readonly use?: ToolContext['use'];
  /** Answers for the user. Default: the client cannot ask its user. */
  readonly elicit?: AskingContext['elicit'];
  /** Called with the lists that have changed. */
  readonly listChanged?: ToolContext['listChanged'];
  /** Called with what the tool reports. */
  readonly progress?: ToolContext['progress'];
  /** Cancels the call when it is aborted. */
  readonly signal?: AbortSignal;
  /** Where the tool logs to, such as the `log` of `createMemoryLog`, which has the lines. */
  readonly log?: ToolContext['log'];
}

/** Makes a tool context. */
export function createToolContext({
  user = { userId: 'ada', name: 'Ada Lovelace' },
  use = NO_SERVICES.use,
  connection = { transport: 'sse', protocolVersion: '2024-11-05' },
  elicit = async () => ({ action: 'unavailable' }),
  listChanged = () => undefined,
  progress = async () => undefined,
  signal = new AbortController().signal,
  log = createMemoryLog().log,
}: ToolContextOptions = {}): AskingContext {
  return {
    user: createUserContext(user),
    use,
    log,
    traceHeaders: {},
    signal,
    connection: new StayingConnection(connection),
    elicit,
    progress,
    listChanged,
  };
}

/** A connection whose client is never told to reconnect. `pause` is a method of the class, as in the server, so that a spread leaves it out. */
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
