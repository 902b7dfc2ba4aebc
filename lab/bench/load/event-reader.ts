/** Takes an event stream apart as its text arrives. */

/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** Reads one stream; the returned function takes what arrived. */
export function createEventReader(onEvent: (event: StreamEvent) => void): (text: string) => void {
  let parts: string[] = [];
  let endsWithNewline = false;
  return (text) => {
    parts.push(text);
    const mayEndEvent = text.includes('\n\n') || (endsWithNewline && text.startsWith('\n'));
    endsWithNewline = text.endsWith('\n');
    // A large event comes in many pieces: they are put together once, when its end has come.
    if (!mayEndEvent) return;
    const frames = parts.join('').split('\n\n');
    const rest = frames.pop() ?? '';
    parts = rest === '' ? [] : [rest];
    for (const frame of frames) {
      const event = parseFrame(frame);
      if (event !== undefined) onEvent(event);
    }
  };
}

/** The events of a whole stream. */
export function parseEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  createEventReader((event) => events.push(event))(text);
  return events;
}

/** A frame's event; undefined for a comment. */
function parseFrame(frame: string): StreamEvent | undefined {
  let event = 'message';
  let data: string | undefined;
  for (const line of frame.split('\n')) {
    if (line.startsWith('event:')) event = line.slice(6).trim();
    else if (line.startsWith('data:'))
      data = `${data === undefined ? '' : `${data}\n`}${line.slice(5).trimStart()}`;
  }
  return data === undefined ? undefined : { event, data };
}
