/** A reader of streams that notes what comes to it. */
import type { EventReader, KeptEvent } from '../../src/sessions/event-store.ts';

/** It notes events, ends and losses. */
export class NotingReader implements EventReader {
  readonly events: KeptEvent[] = [];
  readonly left: (number | undefined)[] = [];
  /** What had been said when the rest was lost. */
  lost: readonly string[] | undefined;

  /** Notes an event. */
  take(event: KeptEvent): void {
    this.events.push(event);
  }

  /** Notes an end. */
  leave(comeBackAfterMs?: number): void {
    this.left.push(comeBackAfterMs);
  }

  /** Notes a loss. */
  lose(said: readonly KeptEvent[]): void {
    this.lost = said.map(({ json }) => json);
  }

  /** The texts of the events. */
  get texts(): string[] {
    return this.events.map(({ json }) => json);
  }
}
