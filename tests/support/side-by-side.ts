/** Runs checks that mostly wait side by side in one test: jest's own concurrent tests cannot load modules while they run. */

/** A check and its name. */
interface Check {
  readonly name: string;
  run(): Promise<void>;
}

/** How many checks run at once. */
const AT_ONCE = 8;

/** A list of checks to run side by side. */
export class SideBySide {
  readonly #checks: Check[] = [];

  /** Adds a check. */
  add(name: string, run: () => Promise<void>): void {
    this.#checks.push({ name, run });
  }

  /** Adds a check for each of several cases. */
  addEach<Case>(
    cases: readonly Case[],
    nameOf: (one: Case) => string,
    run: (one: Case) => Promise<void>,
  ): void {
    for (const one of cases) this.add(nameOf(one), async () => run(one));
  }

  /**
   * Runs the checks, or at most this many of them, spread evenly over the list; resolves to how many ran.
   * @throws {Error} naming the checks that failed, each with its reason
   */
  async run(atMost = Infinity): Promise<number> {
    const all = this.#checks.length;
    const most = Math.min(atMost, all);
    /** How many of the first `first` checks are chosen. */
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
