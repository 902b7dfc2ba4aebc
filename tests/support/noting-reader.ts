/** A reader of event streams that records what it is given. */
import type { EventReader, KeptEvent } from '../../src/sessions/event-store.ts';

/** Records events, ends and losses. */
export class NotingReader implements EventReader {
  readonly events: KeptEvent[] = [];
  readonly left: (number | undefined)[] = [];
  /** What had been sent when the answers were lost; undefined while none is. */
  lost: readonly string[] | undefined;

  /** Records an event. */
  take(event: KeptEvent): void {
    this.events.push(event);
  }

  /** Records that the stream has ended. */
  leave(comeBackAfterMs?: number): void {
    this.left.push(comeBackAfterMs);
  }

  /** Records a loss. */
  lose(said: readonly KeptEvent[]): void {
    this.lost = said.map(({ json }) => json);
  }

  /** The events as JSON texts. */
  get texts(): string[] {
    return this.events.map(({ json }) => json);
  }
}
