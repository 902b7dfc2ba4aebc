/** Bounds the unsent data for all clients of one user: many slow readers together could hold more than any single one may. */
import type { ServerResponse } from 'node:http';
import { grantOf, type RequestContext } from '../context.ts';
import { type Answer, writeAnswer } from '../direct-answer.ts';

/** A response with no more unsent bytes than this is not counted: the system mostly takes that much at once. Bytes. */
export const NOTABLE_BYTES = 64 * 1024;

/** The unsent data of each user: streams have one bound, and plain answers have the same. */
export class UnsentBudget {
  readonly #bytesPerUser: number;
  readonly #streams = new WaitingResponses();
  readonly #answers = new WaitingResponses();

  constructor(bytesPerUser: number) {
    this.#bytesPerUser = bytesPerUser;
  }

  /** Notes a stream with much unsent data. While the streams of its user exceed the bound, the one with the most is cut. */
  noteStream(userId: string, stream: ServerResponse): void {
    this.#streams.add(userId, stream);
    while (this.#streams.bytesOf(userId) > this.#bytesPerUser) {
      const fullest = this.#streams.fullestOf(userId) ?? stream;
      fullest.destroy();
      this.#streams.delete(userId, fullest);
    }
  }

  /** Called when a stream has closed. */
  forgetStream(userId: string, stream: ServerResponse): void {
    this.#streams.delete(userId, stream);
  }

  /** Writes an answer that may be longer than `NOTABLE_BYTES`. If too much is unsent already, an error that says so takes its place. */
  write(ctx: RequestContext, status: number, answer: Answer): void {
    const { userId } = grantOf(ctx).user;
    const waitingBytes = this.#answers.bytesOf(userId);
    // While nothing is unsent, any answer is written: its length is the tool's decision.
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

/** Responses with much unsent data, by user. */
class WaitingResponses {
  readonly #byUser = new Map<string, Set<ServerResponse>>();

  /** Adds a response of a user. */
  add(userId: string, response: ServerResponse): void {
    const responses = this.#byUser.get(userId);
    if (responses === undefined) this.#byUser.set(userId, new Set([response]));
    else responses.add(response);
  }

  /** Removes a response of a user, if it is there. */
  delete(userId: string, response: ServerResponse): void {
    const responses = this.#byUser.get(userId);
    if (responses?.delete(response) === true && responses.size === 0) this.#byUser.delete(userId);
  }

  /** How many bytes of a user's responses are unsent. Removes the responses that have been read meanwhile. */
  bytesOf(userId: string): number {
    let bytes = 0;
    for (const response of this.#byUser.get(userId) ?? []) {
      if (response.writableLength > NOTABLE_BYTES) bytes += response.writableLength;
      else this.delete(userId, response);
    }
    return bytes;
  }

  /** The response of a user with the most unsent bytes. */
  fullestOf(userId: string): ServerResponse | undefined {
    let fullest: ServerResponse | undefined;
    for (const response of this.#byUser.get(userId) ?? [])
      if (fullest === undefined || response.writableLength > fullest.writableLength) fullest = response;
    return fullest;
  }
}

/** The error in place of an answer that is not sent. It says that the request was executed, so that clients do not just send it again. */
function spellUnread(id: string | number | null): string {
  const message =
    'The request was executed, but its answer cannot be sent: too many other answers wait for you to read them. Read those first.';
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_001, message, data: { error: 'answers_unread' } } });
} // prettier-ignore
