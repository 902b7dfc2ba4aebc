/** Finds where a server's CPU time went: the functions and the parts with the most self time in a V8 CPU profile. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';

/** The parts of a `.cpuprofile` that are read. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
}

/** A function; lines and columns are counted from 0. */
interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const TOP = 30;

/** Shares of the total self time, by name, the largest first. */
export type Shares = readonly (readonly [name: string, share: number])[];

/** The summary of a profile. */
export interface ProfileSummary {
  readonly byPart: Shares;
  readonly byFunction: Shares;
}

/** Reads the second half of a profile, without the start of the process and the warm-up. Idle time does not count. */
export async function readProfile(file: string): Promise<ProfileSummary> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- V8 wrote it
  const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
  const byFunction = new Map<string, number>();
  const byPart = new Map<string, number>();
  const locate = createLocator();
  const nodes = new Map(profile.nodes.map((node) => [node.id, locate(node.callFrame)]));
  const half = profile.timeDeltas.reduce((sum, micros) => sum + micros, 0) / 2;
  let passed = 0;
  for (const [index, id] of profile.samples.entries()) {
    const frame = nodes.get(id);
    const micros = profile.timeDeltas[index] ?? 0;
    passed += micros;
    if (passed < half || frame === undefined || OUTSIDE.has(frame.functionName)) continue;
    const part = partOf(frame.url, frame.functionName);
    add(byPart, part, micros);
    add(byFunction, `${frame.functionName || '(anonymous)'}  ${part} ${placeOf(frame)}`, micros);
  }
  return { byPart: sharesOf(byPart), byFunction: sharesOf(byFunction) };
}

/** Makes a function that finds the place of a compiled function in the sources, since the build has joined them. */
function createLocator(): (frame: CallFrame) => CallFrame {
  const maps = new Map<string, SourceMap | undefined>();
  return (frame) => {
    const { url, lineNumber, columnNumber } = frame;
    if (!maps.has(url)) maps.set(url, readMap(url));
    const entry = maps.get(url)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !('originalSource' in entry)) return frame;
    return { ...frame, url: new URL(entry.originalSource, url).href, lineNumber: entry.originalLine };
  };
}

/** The source map of a compiled file; undefined when there is none. */
function readMap(url: string): SourceMap | undefined {
  if (!url.startsWith('file:') || !existsSync(`${fileURLToPath(url)}.map`)) return undefined;
  // oxlint-disable-next-line no-unsafe-type-assertion -- the build wrote it
  return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')) as SourceMapPayload);
}

/** The names that V8 gives to time outside of any function. */
const OUTSIDE: ReadonlySet<string> = new Set(['(idle)', '(program)']);

/** Formats the top of a profile. */
export function renderProfile({ byPart, byFunction }: ProfileSummary): string {
  return `  by part, % of self time\n${top(byPart)}  by function\n${top(byFunction)}\n`;
}

/** Adds time to a sum. */
function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

/** Turns sums into shares of their total, the largest first. */
function sharesOf(sums: ReadonlyMap<string, number>): Shares {
  const total = [...sums.values()].reduce((sum, micros) => sum + micros, 0);
  return [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, micros]) => [name, total === 0 ? 0 : micros / total] as const);
}

/** Formats the largest shares. */
function top(shares: Shares): string {
  return shares
    .slice(0, TOP)
    .map(([name, share]) => `  ${(100 * share).toFixed(1).padStart(5)}  ${name}\n`)
    .join('');
}

/** The part that code belongs to: a package, Node itself, this repository, or the engine. */
function partOf(url: string, functionName: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  if (url.startsWith('node:'))
    return url.split('/')[0] === 'node:internal' ? `node:${url.split('/')[1]}` : url;
  if (/\/(src|lab\/fixture)\//.test(url)) return 'ours';
  return functionName === '(garbage collector)' ? 'gc' : 'native';
}

/** The file and line of a function, without folders. */
function placeOf({ url, lineNumber }: CallFrame): string {
  return url === '' ? '' : `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}`;
}
