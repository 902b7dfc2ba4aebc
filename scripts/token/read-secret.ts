/** Reads a token from standard input: piped, or typed without being shown. */
import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { CommandError, EXIT } from './command-error.ts';

/** The most characters that are read: more than any header that a server accepts. */
const MAX_CHARS = 65_536;

/**
 * Reads the token, without white space around it.
 * @throws {CommandError} when nothing was given, or more than a token can be
 */
export async function readSecret(input: Readable = process.stdin): Promise<string> {
  const text = ('isTTY' in input && input.isTTY ? await askFor(input) : await readAll(input)).trim();
  if (text === '') throw new CommandError(EXIT.usage, 'No token was given on standard input.');
  return text;
}

/** Reads everything that is piped in. */
async function readAll(input: Readable): Promise<string> {
  let text = '';
  input.setEncoding('utf8');
  for await (const part of input) {
    text += String(part);
    if (text.length > MAX_CHARS)
      throw new CommandError(EXIT.usage, 'Standard input holds more than a token.');
  }
  return text;
}

/** Reads one line from a terminal, without showing it. */
async function askFor(input: Readable): Promise<string> {
  process.stderr.write('Token: ');
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silence, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new CommandError(EXIT.failed, 'Interrupted.')));
      lines.once('close', () => resolve(''));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
