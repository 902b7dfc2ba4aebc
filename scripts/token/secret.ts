/** `secret`: a value for SERVER_SECRET. */
import { randomBytes } from 'node:crypto';
import type { Command } from './command.ts';

/** Prints 32 random bytes. */
export const secret: Command = {
  usage: ['secret'],
  summary: 'a value for SERVER_SECRET',
  about:
    'Prints 256 random bits in base64url, for the variable SERVER_SECRET. Whoever has it can make sessions and sign-ins of any user.',
  run: ({ line, print }) => {
    const value = randomBytes(32).toString('base64url');
    print(line.json ? JSON.stringify({ secret: value }) : value);
  },
};
