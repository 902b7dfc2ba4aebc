/** The variable that says where the server stores data. */
import { z } from 'zod';
import { HOW_TO_ENCODE, isStoreAddress } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';
import { PLATFORM_VARIABLES } from './platforms.ts';

/** Where the server stores data. */
export type StorageConfig =
  | { readonly dialect: 'postgres'; readonly url: string }
  | {
      readonly dialect: 'sqlite';
      readonly file: string;
      /** Whether each deployment begins with an empty disk. */
      readonly isLostWithDeployment: boolean;
    };

/** A file in the folder that the server is started in. */
const DEFAULT_URL = 'sqlite:data/server.db';

const WORDS = `must be postgres://user:password@host/database or sqlite:path/to/file; ${HOW_TO_ENCODE}`;

export const STORAGE_VARIABLES = {
  DATABASE_URL: {
    description:
      'The database in which tools store data: postgres://user:password@host/database, or sqlite: and a file. It is opened only if something stores data there. If it is set, the server also keeps counts of the calls of each user in it, for /admin.',
    example: DEFAULT_URL,
    schema: z
      .string()
      .transform((text, context): { readonly url: string } | { readonly file: string } => {
        if (/^postgres(ql)?:\/\//.test(text) && isStoreAddress(text)) return { url: text };
        const [, file = ''] = /^sqlite:(?:\/\/(?=\/))?(.*)$/s.exec(text) ?? [];
        if (file === '' || file.startsWith('//') || file.startsWith(':')) context.addIssue(WORDS);
        return { file };
      })
      .prefault(DEFAULT_URL),
  },
} as const satisfies Variables;

/** All variables that say where, with the platform's, which says whether its disk lasts. */
export const STORAGE_PLACE_VARIABLES = {
  ...STORAGE_VARIABLES,
  REPLIT_DEPLOYMENT: PLATFORM_VARIABLES.REPLIT_DEPLOYMENT,
} as const satisfies Variables;

/** Makes the configuration of the storage. */
export function storageOf({
  DATABASE_URL: place,
  REPLIT_DEPLOYMENT,
}: ValuesOf<typeof STORAGE_PLACE_VARIABLES>): StorageConfig {
  if ('url' in place) return { dialect: 'postgres', url: place.url };
  return { dialect: 'sqlite', file: place.file, isLostWithDeployment: REPLIT_DEPLOYMENT !== undefined };
}
