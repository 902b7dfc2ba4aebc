/** The example's services for a test: opened on a database, and given to tools as a server would give them. */
import type { UserFields } from '../../../src/auth/user.ts';
import type { Database } from '../../../src/storage/database.ts';
import type { AskingContext } from '../../../src/mcp/tool.ts';
import { openServicesOf } from '../../../tests/support/open-services.ts';
import { createToolContext, type ToolContextOptions } from '../../../tests/support/tool-context.ts';
import { definition } from '../definition.ts';
import { database } from '../services/database.ts';

/** Services that are open. */
export interface Learning {
  readonly database: Database;
  /** The context of a tool that this user calls. */
  contextOf(user: string | UserFields, options?: Omit<ToolContextOptions, 'user' | 'use'>): AskingContext;
  close(): Promise<void>;
}

/** Opens the services with these variables: `DATABASE_URL` above all. */
export async function openLearning(env: Readonly<Record<string, string>>): Promise<Learning> {
  const open = await openServicesOf(definition, env);
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
