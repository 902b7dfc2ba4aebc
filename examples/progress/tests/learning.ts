/** The example's services for a test: opened on a database, given to tools as a server would. */
import { parseConfig } from '../../../src/config/config.ts';
import type { UserFields } from '../../../src/auth/user.ts';
import type { Database } from '../../../src/storage/database.ts';
import type { AskingContext } from '../../../src/mcp/tool.ts';
import { ownVariablesOf } from '../../../src/server/server-definition.ts';
import { openServices } from '../../../src/server/services.ts';
import { createMemoryLog } from '../../../tests/support/memory-log.ts';
import { createToolContext, type ToolContextOptions } from '../../../tests/support/tool-context.ts';
import { definition } from '../definition.ts';
import { services } from '../services/index.ts';
import { database } from '../services/database.ts';

/** Services that are open. */
export interface Learning {
  readonly database: Database;
  /** What a tool has at hand that a user calls. */
  contextOf(user: string | UserFields, options?: Omit<ToolContextOptions, 'user' | 'use'>): AskingContext;
  close(): Promise<void>;
}

/** Opens them with these variables: `DATABASE_URL` above all. */
export async function openLearning(env: Readonly<Record<string, string>>): Promise<Learning> {
  const { own } = parseConfig(env, ownVariablesOf(definition));
  const open = await openServices({ services, values: own, log: createMemoryLog().log });
  return {
    database: open.use(database),
    contextOf: (user, options = {}) =>
      createToolContext({
        ...options,
        user: typeof user === 'string' ? { userId: user, name: user } : user,
        use: open.use,
      }),
    close: async () => open.close(),
  };
}
