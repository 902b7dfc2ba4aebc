/** The implementation of each command of `npm run token`. */
import { disable, edit, enable, prune, revoke, signOut } from './changes.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { create } from './create.ts';
import { exportTokens } from './export.ts';
import { importUsers } from './import.ts';
import { list } from './list.ts';
import { rotate } from './rotate.ts';
import { secret } from './secret.ts';
import type { CommandName } from './words.mjs';

/** Every command by its name. */
export const COMMANDS: Readonly<Record<CommandName, Command>> = {
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
};
