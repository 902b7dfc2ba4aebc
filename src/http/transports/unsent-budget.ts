/** Bounds what waits unsent for all the clients of one user: many who read slowly hold together what no single one may. */
import type { ServerResponse } from 'node:http';
import { grantOf, type RequestContext } from '../context.ts';
import { type Answer, writeAnswer } from '../direct-answer.ts';

/** What is less than this counts for nothing: the system mostly takes it whole. Bytes. */
export const NOTABLE_BYTES = 64 * 1024;

/** What may wait for one user: so much on streams, and as much of plain answers. */
export class UnsentBudget {
  readonly #bytesPerUser: number;
  readonly #streams = new WaitingResponses();
  readonly #answers = new WaitingResponses();

  constructor(bytesPerUser: number) {
    this.#bytesPerUser = bytesPerUser;
  }

  /** Notes that much waits on a stream; where that is too much for its user, the fullest is cut, until it is not. */
  noteStream(userId: string, stream: ServerResponse): void {
    this.#streams.add(userId, stream);
    while (this.#streams.bytesOf(userId) > this.#bytesPerUser) {
      const fullest = this.#streams.fullestOf(userId) ?? stream;
      fullest.destroy();
      this.#streams.delete(userId, fullest);
    }
  }

  /** Hears that a stream is over. */
  forgetStream(userId: string, stream: ServerResponse): void {
    this.#streams.delete(userId, stream);
  }

  /** Writes an answer that may be longer than `NOTABLE_BYTES`; where too much waits already, one that says so takes its place. */
  write(ctx: RequestContext, status: number, answer: Answer): void {
    const { userId } = grantOf(ctx).user;
    const waitingBytes = this.#answers.bytesOf(userId);
    // Where nothing waits, any answer may: how long it is, the tool has decided.
    if (waitingBytes > 0 && waitingBytes + Buffer.byteLength(answer.text) > this.#bytesPerUser) {
      const text = spellUnread(ctx.state.rpcId ?? null);
      return writeAnswer(ctx, 200, { text, headers: answer.headers });
    }
    writeAnswer(ctx, status, answer);
    const { res } = ctx;
    if (res.writableLength <= NOTABLE_BYTES) return;
    this.#answers.add(userId, res);
    res.on('close', () => this.#answers.delete(userId, res));
  }
}

/** Responses of which much waits, by user. */
class WaitingResponses {
  readonly #byUser = new Map<string, Set<ServerResponse>>();

  /** Adds one. */
  add(userId: string, response: ServerResponse): void {
    const responses = this.#byUser.get(userId);
    if (responses === undefined) this.#byUser.set(userId, new Set([response]));
    else responses.add(response);
  }

  /** Takes one out, if it is there. */
  delete(userId: string, response: ServerResponse): void {
    const responses = this.#byUser.get(userId);
    if (responses?.delete(response) === true && responses.size === 0) this.#byUser.delete(userId);
  }

  /** How much waits for a user; those that have been read meanwhile are taken out. */
  bytesOf(userId: string): number {
    let bytes = 0;
    for (const response of this.#byUser.get(userId) ?? []) {
      if (response.writableLength > NOTABLE_BYTES) bytes += response.writableLength;
      else this.delete(userId, response);
    }
    return bytes;
  }

  /** The one of which the most waits. */
  fullestOf(userId: string): ServerResponse | undefined {
    let fullest: ServerResponse | undefined;
    for (const response of this.#byUser.get(userId) ?? [])
      if (fullest === undefined || response.writableLength > fullest.writableLength) fullest = response;
    return fullest;
  }
}

/** What a request is answered whose answer has no room: it has been worked on, and must not be sent again unread. */
function spellUnread(id: string | number | null): string {
  const message =
    'This has been done, but its answer cannot be sent: too much waits for you that you do not read. Read your other answers first.';
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_001, message, data: { error: 'answers_unread' } } });
} // prettier-ignore
