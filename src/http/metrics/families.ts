/** Metrics by labels, and their text in the format of Prometheus: counters and histograms, which grow, and gauges, which are read on demand. */
import type { Steps } from '../../in-slices.ts';

/** Labels with their values; a label with an empty value is left out. */
export type Labels = Readonly<Record<string, string>>;

/** A family of series. */
export interface Family {
  /** Its lines, some at a time. */
  write(): Iterable<string>;
}

/** What every family has. */
export interface FamilyFacts {
  readonly name: string;
  readonly help: string;
}

/** How many series a family may have; everything beyond them counts as {@link OTHER}. */
const MAX_SERIES = 10_000;

/** The labels that stand for all series beyond the bound. */
const OTHER: Labels = { series: '(other)' };

/** Counts by labels. */
export class Counter implements Family {
  readonly #facts: FamilyFacts;
  readonly #series = new Map<string, { readonly labels: string; value: number }>();

  constructor(facts: FamilyFacts) {
    this.#facts = facts;
  }

  /** Adds one to the series with this key; `labelsOf` is called only for a new series. */
  add(key: string, labelsOf: () => Labels): void {
    const known = this.#series.get(key);
    if (known !== undefined) known.value += 1;
    else if (this.#series.size >= MAX_SERIES && key !== '') this.add('', () => OTHER);
    else this.#series.set(key, { labels: spellLabels(labelsOf()), value: 1 });
  }

  *write(): Iterable<string> {
    yield headOf(this.#facts, 'counter');
    for (const { labels, value } of this.#series.values()) yield lineOf(this.#facts.name, labels, value);
  }
}

/** One series of a histogram. */
interface Distribution {
  readonly labels: string;
  readonly counts: Float64Array;
  sum: number;
}

/** Counts in buckets by labels. */
export class Histogram implements Family {
  readonly #facts: FamilyFacts;
  readonly #bounds: readonly number[];
  readonly #ends: readonly string[];
  readonly #series = new Map<string, Distribution>();

  constructor({ bounds, ...facts }: FamilyFacts & { readonly bounds: readonly number[] }) {
    this.#facts = facts;
    this.#bounds = bounds;
    this.#ends = [...bounds.map(String), '+Inf'].map((end) => `le="${end}"`);
  }

  /** Adds a value to the series with this key; `labelsOf` is called only for a new series. */
  observe(key: string, value: number, labelsOf: () => Labels): void {
    const series = this.#of(key, labelsOf);
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
  }

  #of(key: string, labelsOf: () => Labels): Distribution {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_SERIES && key !== '') return this.#of('', () => OTHER);
    const made = {
      labels: spellLabels(labelsOf()),
      counts: new Float64Array(this.#bounds.length + 1),
      sum: 0,
    };
    this.#series.set(key, made);
    return made;
  }

  *write(): Iterable<string> {
    const { name } = this.#facts;
    yield headOf(this.#facts, 'histogram');
    for (const { labels, counts, sum } of this.#series.values()) {
      let total = 0;
      let text = '';
      for (const [bucket, end] of this.#ends.entries()) {
        total += counts[bucket] ?? 0;
        text += lineOf(`${name}_bucket`, labels === '' ? end : `${labels},${end}`, total);
      }
      yield `${text}${lineOf(`${name}_sum`, labels, sum)}${lineOf(`${name}_count`, labels, total)}`;
    }
  }
}

/** The values of a gauge. */
export type Readings = Iterable<readonly [labels: Labels, value: number]>;

/** Numbers that are read when metrics are requested: a gauge, or a counter that another part keeps. */
export class Gauge implements Family {
  readonly #facts: FamilyFacts;
  readonly #read: () => Readings;
  readonly #type: 'gauge' | 'counter';

  constructor({ read, type = 'gauge', ...facts }: FamilyFacts & GaugeParts) {
    this.#facts = facts;
    this.#read = read;
    this.#type = type;
  }

  *write(): Iterable<string> {
    yield headOf(this.#facts, this.#type);
    for (const [labels, value] of this.#read()) yield lineOf(this.#facts.name, spellLabels(labels), value);
  }
}

/** How a gauge is read. */
interface GaugeParts {
  readonly read: () => Readings;
  readonly type?: 'gauge' | 'counter';
}

/** Writes the text of families in steps, so that calls can be handled in between. */
export function* writeFamilies(families: readonly Family[]): Steps<string> {
  const parts: string[] = [];
  for (const family of families)
    for (const part of family.write()) {
      parts.push(part);
      yield;
    }
  return parts.join('');
}

/** The lines in front of a family. */
function headOf({ name, help }: FamilyFacts, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

/** One line. */
function lineOf(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`;
}

/** Serializes labels as they stand between the braces. */
function spellLabels(labels: Labels): string {
  return Object.entries(labels)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}="${escapeValue(value)}"`)
    .join(',');
}

/** Escapes a value for its place between quotes. */
function escapeValue(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
