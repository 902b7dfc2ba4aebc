/** The table of the commands, in the order of a token's life. */
import { disable, edit, enable, prune, revoke, signOut } from './changes.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { create } from './create.ts';
import { exportTokens } from './export.ts';
import { importUsers } from './import.ts';
import { list } from './list.ts';
import { rotate } from './rotate.ts';
import { secret } from './secret.ts';

const TABLE = {
  create,
  import: importUsers,
  list,
  check,
  edit,
  rotate,
  disable,
  enable,
  'sign-out': signOut,
  revoke,
  prune,
  export: exportTokens,
  secret,
} as const;

/** The name of a command. */
export type CommandName = keyof typeof TABLE;

/** Every command by its name. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = TABLE;

/** The names, in the order of the overview. */
// oxlint-disable-next-line no-unsafe-type-assertion -- the keys of a literal, which TypeScript widens to string
export const COMMAND_NAMES = Object.keys(TABLE) as readonly CommandName[];
