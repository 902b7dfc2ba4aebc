/** `secret`: a value for SERVER_SECRET. */
import { randomBytes } from 'node:crypto';
import type { Command } from './command.ts';

/** Prints 32 random bytes in base64url. */
export const secret: Command = {
  run: ({ line, print }) => {
    const value = randomBytes(32).toString('base64url');
    print(line.json ? JSON.stringify({ secret: value }) : value);
  },
};
