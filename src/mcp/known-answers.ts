/**
 * What is the same for all who have the same scopes, kept once it has been spelled: lists, and what a server says of itself. Nothing that
 * goes the short way changes while the server runs. Without this every `tools/list` spells every schema anew, and in the stateless
 * revision makes an SDK server for it: `npm run bench -- --only discover` measures twenty times the cost.
 */
import { maySee, type UserContext } from '../auth/user.ts';
import { scopesAskedFor } from './call-scopes.ts';
import type { McpDefinition } from './server.ts';

/** So much is kept; beyond that all is forgotten, and spelled again when it is asked for. */
const MAX_KEPT = 100;

/** Answers by method and scopes. */
export class KnownAnswers<Answer> {
  readonly #scopes: readonly string[];
  readonly #kept = new Map<string, Answer>();

  constructor(definition: McpDefinition) {
    this.#scopes = scopesAskedFor(definition);
  }

  /** What a user gets who asks with a method; undefined when nobody with the same scopes has asked. */
  find(method: string, user: UserContext): Answer | undefined {
    return this.#kept.get(this.#keyOf(method, user));
  }

  /** Keeps it, and hands it back. */
  keep(method: string, user: UserContext, answer: Answer): Answer {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(this.#keyOf(method, user), answer);
    return answer;
  }

  /** Of what a user may see, only that counts which something here asks a scope for. */
  #keyOf(method: string, user: UserContext): string {
    if (user.scopes === undefined) return method;
    let key = `${method} `;
    for (const scope of this.#scopes) key += maySee(user, scope) ? '+' : '-';
    return key;
  }
}
