/** Where a server's CPU time went: the functions and the parts with the most self time in a V8 CPU profile. */
import { readFile } from 'node:fs/promises';

/** What is read of a `.cpuprofile`. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

const TOP = 30;

/** The top of a profile, as text. Idle time does not count. */
export async function renderProfile(file: string): Promise<string> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- V8 wrote it
  const profile = JSON.parse(await readFile(file, 'utf8')) as CpuProfile;
  const byFunction = new Map<string, number>();
  const byPart = new Map<string, number>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  let total = 0;
  for (const [index, id] of profile.samples.entries()) {
    const frame = nodes.get(id);
    const micros = profile.timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === '(idle)' || frame.functionName === '(program)')
      continue;
    total += micros;
    const part = partOf(frame.url, frame.functionName);
    add(byPart, part, micros);
    add(byFunction, `${frame.functionName || '(anonymous)'}  ${part} ${placeOf(frame)}`, micros);
  }
  return `  by part, % of self time\n${top(byPart, total)}  by function\n${top(byFunction, total)}\n`;
}

/** Adds to a sum. */
function add(sums: Map<string, number>, name: string, micros: number): void {
  sums.set(name, (sums.get(name) ?? 0) + micros);
}

/** The largest sums as shares of the total. */
function top(sums: ReadonlyMap<string, number>, total: number): string {
  return [...sums]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, micros]) => `  ${((100 * micros) / total).toFixed(1).padStart(5)}  ${name}\n`)
    .join('');
}

/** Whose code it is: a package, Node's own, ours, or the engine's. */
function partOf(url: string, functionName: string): string {
  const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (inPackage !== undefined) return inPackage;
  if (url.startsWith('node:'))
    return url.split('/')[0] === 'node:internal' ? `node:${url.split('/')[1]}` : url;
  if (url.includes('/dist/src/')) return 'ours';
  return functionName === '(garbage collector)' ? 'gc' : 'native';
}

/** File and line, short. */
function placeOf({ url, lineNumber }: ProfileNode['callFrame']): string {
  return url === '' ? '' : `${url.slice(url.lastIndexOf('/') + 1)}:${lineNumber + 1}`;
}
