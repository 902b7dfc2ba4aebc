/** The work of one transaction, with the same rules for both kinds of database. */
import type { Driver } from './database.ts';
import { busy, unreachable } from './errors.ts';

/** How long a shutdown waits for transactions and statements before it cuts them. Milliseconds. */
export const END_MS = 2_000;

/** The limits of a transaction's duration. */
export interface TransactionLimits {
  readonly limitMs: number;
  /** Aborted to end the transaction sooner, at a shutdown. */
  readonly cut: AbortSignal;
}

/** Runs the work of one transaction. */
export class TransactionWork {
  readonly #run: Driver['query'];
  #isOver = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(run: Driver['query']) {
    this.#run = run;
  }

  /** The error of the first statement that failed; undefined while none has. */
  get failure(): unknown {
    return this.#failure?.error;
  }

  /**
   * Runs the work to its end; after that its `query` throws.
   * @throws what the work throws; the error of a statement, even if the work has swallowed it; {@link StorageUnavailable} when it takes too
   * long, or is cut
   */
  async finish<Result>(
    work: (query: Driver['query']) => Promise<Result>,
    limits: TransactionLimits,
  ): Promise<Result> {
    try {
      const result = await withinLimits(limits, work(this.#query));
      if (this.#failure !== undefined) throw this.#failure.error;
      return result;
    } finally {
      this.#isOver = true;
    }
  }

  /** Runs a statement of the work. */
  readonly #query: Driver['query'] = async (statement) => {
    if (this.#isOver) throw new Error('This transaction is over.');
    // PostgreSQL would refuse what follows, and SQLite would go on.
    if (this.#failure !== undefined)
      throw new Error('A statement of this transaction has failed, which ended it.');
    try {
      return await this.#run(statement);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  };
}

/** Rejects when something takes too long, or is cut. */
async function withinLimits<Result>(
  { limitMs, cut }: TransactionLimits,
  work: Promise<Result>,
): Promise<Result> {
  const over = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => reject(busy('transaction_too_long')), limitMs);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    const end = (): void => reject(unreachable('closed'));
    if (cut.aborted) end();
    else cut.addEventListener('abort', end, { signal: over.signal });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
