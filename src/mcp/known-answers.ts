/**
 * Answers that are the same for all users with the same scopes, kept once they have been serialized: lists, and what a server says of
 * itself. Nothing that the fast lane answers changes while the server runs. Without this, every `tools/list` serializes every schema anew,
 * and in the stateless revision makes an SDK server for it: `npm run bench -- --only discover` measures twenty times the cost.
 */
import { maySee, type UserContext } from '../auth/user.ts';
import { scopesAskedFor } from './call-scopes.ts';
import type { McpDefinition } from './server.ts';

/** How many answers are kept; beyond that all are dropped, and made again when they are asked for. */
const MAX_KEPT = 100;

/** Answers by method and scopes. */
export class KnownAnswers<Answer> {
  readonly #scopes: readonly string[];
  readonly #kept = new Map<string, Answer>();

  constructor(definition: McpDefinition) {
    this.#scopes = scopesAskedFor(definition);
  }

  /** Finds the answer to a user's request; undefined if nobody with the same scopes has sent one before. */
  find(method: string, user: UserContext): Answer | undefined {
    return this.#kept.get(this.#keyOf(method, user));
  }

  /** Keeps an answer, and returns it. */
  keep(method: string, user: UserContext, answer: Answer): Answer {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(this.#keyOf(method, user), answer);
    return answer;
  }

  /** The key of an answer: its method, and which of the scopes that something here needs the user may see. */
  #keyOf(method: string, user: UserContext): string {
    if (user.scopes === undefined) return method;
    let key = `${method} `;
    for (const scope of this.#scopes) key += maySee(user, scope) ? '+' : '-';
    return key;
  }
}
