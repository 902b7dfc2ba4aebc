/** Parses an event stream as its text arrives. */

/** One server-sent event. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** Parses one stream. The returned function takes each text that arrives. */
export function createEventReader(onEvent: (event: StreamEvent) => void): (text: string) => void {
  let parts: string[] = [];
  let endsWithNewline = false;
  return (text) => {
    parts.push(text);
    const mayEndEvent = text.includes('\n\n') || (endsWithNewline && text.startsWith('\n'));
    endsWithNewline = text.endsWith('\n');
    // A large event arrives in many pieces, which are joined only once, when its end has arrived.
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

/** Parses the events of a complete stream. */
export function parseEvents(text: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  createEventReader((event) => events.push(event))(text);
  return events;
}

/** Parses the event of a frame; undefined for a comment. */
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
