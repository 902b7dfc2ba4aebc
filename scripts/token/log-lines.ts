/** Reads the lines of the server's log from files or standard input, one source after the other, compressed or not. */
import { createReadStream } from 'node:fs';
import { type Duplex, PassThrough, type Readable } from 'node:stream';
import zlib from 'node:zlib';
import { CommandError, EXIT } from './command-error.ts';
import { codeOf, describeReadError } from '../../src/auth/tokens/system-error.ts';

/** One line: an object whose fields are not checked yet. */
export type LogLine = Readonly<Record<string, unknown>>;

/** A source of log lines. */
export interface LogSource {
  /** Its name in messages. */
  readonly name: string;
  open(): Readable;
}

/** The given files, in their order; standard input when there are none. */
export function sourcesOf(files: readonly string[]): LogSource[] {
  if (files.length === 0) return [{ name: 'standard input', open: () => process.stdin }];
  return files.map((name) => ({ name, open: () => createReadStream(name) }));
}

/**
 * Calls back with each line that is a JSON object. Returns how many other lines there were; blank ones do not count.
 * @throws {CommandError} naming a source that cannot be read
 */
export async function readLog(
  sources: readonly LogSource[],
  onLine: (line: LogLine) => void,
): Promise<number> {
  let others = 0;
  for (const { name, open } of sources) {
    try {
      for await (const text of linesOf(await unpack(open(), name))) {
        const line = parseLine(text);
        if (line !== undefined) onLine(line);
        else if (text.trim() !== '') others += 1;
      }
    } catch (error) {
      if (error instanceof CommandError) throw error;
      const isPacking = codeOf(error)?.startsWith('Z_') === true;
      const words = isPacking ? 'it is damaged' : (describeReadError(error, name) ?? 'unknown error');
      throw new CommandError(EXIT.failed, `The log cannot be read from ${name}: ${words}.`, { cause: error });
    }
  }
  return others;
}

/** Splits a stream into lines. Not with `readline`: a name may hold U+2028 or U+2029, which end a line for it in Node 24. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of input as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

/** A compression program. */
interface Packer {
  readonly name: string;
  /** The bytes that its files begin with. */
  readonly bytes: readonly number[];
  /** Makes the stream that decompresses; absent where Node cannot. */
  readonly unpack?: () => Duplex;
}

/** The programs that logs are compressed with. Node decompresses zstd from 22.15 on. */
const PACKERS: readonly Packer[] = [
  { name: 'gzip', bytes: [0x1f, 0x8b], unpack: zlib.createGunzip },
  {
    name: 'zstd',
    bytes: [0x28, 0xb5, 0x2f, 0xfd],
    // oxlint-disable-next-line no-unsafe-type-assertion -- the types are those of Node 20
    ...('createZstdDecompress' in zlib && { unpack: zlib.createZstdDecompress as () => Duplex }),
  },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
];

/**
 * The content of a stream, decompressed if its first bytes say so, whatever the file is called.
 * @throws {CommandError} when it is compressed in a way that Node cannot undo
 */
async function unpack(input: Readable, source: string): Promise<Readable> {
  const output = new PassThrough();
  const first = await new Promise<Buffer | undefined>((resolve, reject) => {
    input.once('error', reject);
    input.once('end', () => resolve(undefined));
    input.once('data', (chunk: Buffer) => {
      input.pause();
      resolve(chunk);
    });
  });
  input.removeAllListeners('error');
  input.on('error', (error) => output.destroy(error));
  if (first === undefined) return output.end();
  const packer = PACKERS.find(({ bytes }) => bytes.every((byte, index) => first[index] === byte));
  if (packer !== undefined && packer.unpack === undefined) {
    input.destroy();
    throw new CommandError(
      EXIT.failed,
      `${source} is compressed by ${packer.name}, which cannot be read here. Decompress it: ${packer.name} -dc FILE | npm run -s usage`,
    );
  }
  const into = packer?.unpack?.() ?? output;
  if (into !== output) {
    into.on('error', (error) => output.destroy(error));
    into.pipe(output);
  }
  into.write(first);
  input.pipe(into);
  return output;
}

/** Parses a line of the log; undefined for any other line. */
function parseLine(text: string): LogLine | undefined {
  // Docker, systemd and others may put a prefix in front of the JSON.
  const start = text.indexOf('{');
  if (start === -1) return undefined;
  try {
    const value: unknown = JSON.parse(text.slice(start));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The value of a field, if it is a string. */
export function textOf(line: LogLine, field: string): string | undefined {
  const value = line[field];
  return typeof value === 'string' ? value : undefined;
}

/** When a line was written. Milliseconds since the epoch; NaN when it has no time. */
export function timeOf({ time }: LogLine): number {
  return typeof time === 'number' ? time : Date.parse(String(time));
}
