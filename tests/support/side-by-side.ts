/** Checks that wait most of the time, run side by side in one test: jest's own concurrent tests may load no module while they run. */

/** A check, and what it is called. */
interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** So many wait at once. */
const AT_ONCE = 8;

/** Checks that are to be run side by side. */
export class SideBySide {
  readonly #checks: Check[] = [];

  /** Notes a check. */
  add(name: string, run: () => Promise<void>): void {
    this.#checks.push({ name, run });
  }

  /** Notes a check for each of several cases. */
  addEach<Case>(
    cases: readonly Case[],
    nameOf: (one: Case) => string,
    run: (one: Case) => Promise<void>,
  ): void {
    for (const one of cases) this.add(nameOf(one), async () => run(one));
  }

  /**
   * Runs them, or so many of them, spread over all; resolves to how many ran.
   * @throws {Error} that names those that failed, each with its reason
   */
  async run(atMost = Infinity): Promise<number> {
    const all = this.#checks.length;
    const most = Math.min(atMost, all);
    /** How many of the first ones are chosen. */
    const chosenOf = (first: number): number => Math.floor((first * most) / all);
    const waiting = this.#checks.filter((_check, index) => chosenOf(index + 1) > chosenOf(index)).values();
    const failures: string[] = [];
    const work = async (): Promise<void> => {
      // One iterator for all workers: each check is taken once.
      for (const { name, run } of waiting) {
        try {
          await run();
        } catch (error) {
          failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (failures.length > 0) throw new Error(`${failures.length} checks failed\n\n${failures.join('\n\n')}`);
    return most;
  }
}
