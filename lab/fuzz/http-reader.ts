/** Parses HTTP/1.1 responses strictly, as their bytes arrive: what a lenient client would accept is an error here. */

/** One response, as far as it has arrived. */
export interface Response {
  readonly status: number;
  /** The values by lower-case name, in the order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: Buffer;
  readonly complete: boolean;
  readonly isStream: boolean;
}

/** A response while it is parsed. */
interface Draft {
  status: number;
  headers: Map<string, string[]>;
  body: Buffer[];
  complete: boolean;
  isStream: boolean;
  /** How the end of its body is found. */
  framing: 'none' | 'length' | 'chunked' | 'close';
  left: number;
}

/** The responses of one connection. */
export interface HttpReader {
  push(bytes: Buffer): void;
  /** Call it when the server has closed the connection: that ends a body without a length. */
  end(): void;
  /** The responses so far, without interim ones (1xx). The last one may be incomplete. */
  readonly responses: readonly Response[];
  /** What is wrong with the bytes; undefined while nothing is. */
  readonly problem: string | undefined;
}

/** Makes a reader. `isHead` tells whether a response answers a HEAD request, and so has no body. */
export function createHttpReader(isHead: (index: number) => boolean): HttpReader {
  const drafts: Draft[] = [];
  let buffer: Buffer = Buffer.alloc(0);
  let problem: string | undefined;

  /** Consumes a head from the buffer; returns false when none is complete. */
  const readHead = (): boolean => {
    const end = buffer.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const draft = parseHead(buffer.subarray(0, end).toString('latin1'), isHead(drafts.length));
    buffer = buffer.subarray(end + 4);
    if (typeof draft === 'string') problem = draft;
    else if (draft.status >= 200) drafts.push(draft);
    return typeof draft !== 'string';
  };
  /** Consumes a part of a body from the buffer; returns false when there is none. */
  const readBody = (draft: Draft): boolean => {
    if (buffer.length === 0) return false;
    if (draft.framing === 'chunked' && draft.left === 0) return readChunkHead(draft);
    const part = draft.framing === 'close' ? buffer : buffer.subarray(0, draft.left);
    draft.body.push(part);
    buffer = buffer.subarray(part.length);
    if (draft.framing !== 'close') draft.left -= part.length;
    if (draft.framing === 'length' && draft.left === 0) draft.complete = true;
    return true;
  };
  /** Consumes the line before a chunk; the chunk of length 0 ends the body. */
  const readChunkHead = (draft: Draft): boolean => {
    const match = /^(?:\r\n)?([0-9a-f]{1,8})\r\n/i.exec(buffer.subarray(0, 16).toString('latin1'));
    if (match === null) {
      if (buffer.length >= 16) problem = 'a chunk without a length';
      return false;
    }
    const isLast = Number.parseInt(match[1] ?? '', 16) === 0;
    const taken = match[0].length + (isLast ? 2 : 0);
    if (buffer.length < taken) return false;
    buffer = buffer.subarray(taken);
    draft.left = Number.parseInt(match[1] ?? '', 16);
    draft.complete = isLast;
    return true;
  };

  return {
    get responses() {
      return drafts.map(({ body, ...rest }) => ({ ...rest, body: Buffer.concat(body) }));
    },
    get problem() {
      return problem;
    },
    push(bytes) {
      buffer = buffer.length === 0 ? bytes : Buffer.concat([buffer, bytes]);
      let goesOn = true;
      while (goesOn) {
        const last = drafts.at(-1);
        goesOn = last === undefined || last.complete ? buffer.length > 0 && readHead() : readBody(last);
      }
    },
    end() {
      const last = drafts.at(-1);
      if (last?.framing === 'close') last.complete = true;
    },
  };
}

/** Parses the head of a response; returns the problem when it is malformed. */
function parseHead(text: string, isHead: boolean): Draft | string {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(first)?.[1]);
  if (Number.isNaN(status)) return `no status line: ${JSON.stringify(first.slice(0, 80))}`;
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e\t\x80-\xff]*)$/.exec(line);
    if (match === null) return `no header line: ${JSON.stringify(line.slice(0, 80))}`;
    const name = match[1]?.toLowerCase() ?? '';
    headers.set(name, [...(headers.get(name) ?? []), match[2] ?? '']);
  }
  const length = headers.get('content-length');
  const isChunked = headers.get('transfer-encoding')?.join().toLowerCase() === 'chunked';
  if (length !== undefined && (length.length > 1 || isChunked)) return 'a response with two lengths';
  const none = isHead || status < 200 || status === 204 || status === 304;
  const left = length === undefined || none ? 0 : Number(length[0]);
  const framing = none ? 'none' : isChunked ? 'chunked' : length === undefined ? 'close' : 'length';
  return {
    status,
    headers,
    body: [],
    framing,
    left,
    complete: framing === 'none' || (framing === 'length' && left === 0),
    isStream: headers.get('content-type')?.[0]?.startsWith('text/event-stream') === true,
  };
}

/** One event of an event stream. */
export interface EventFrame {
  readonly event: string;
  readonly data: string;
}

/** Parses the complete events with data; throws on a line that the format does not allow. The first event may only give its id. */
export function parseEventStream(body: string): EventFrame[] {
  const frames = body.split('\n\n').slice(0, -1);
  return frames.flatMap((frame) => {
    const fields = { event: 'message', data: [] as string[], hasId: false };
    for (const line of frame.split('\n')) {
      const match = /^(event|data|id|retry)?: ?(.*)$/s.exec(line);
      if (match === null || line.includes('\r'))
        throw new Error(`no line of an event stream: ${line.slice(0, 80)}`);
      if (match[1] === 'event') fields.event = match[2] ?? '';
      if (match[1] === 'id') fields.hasId = true;
      if (match[1] === 'data') fields.data.push(match[2] ?? '');
    }
    const data = fields.data.join('\n');
    const isPrimer = data === '' && fields.hasId;
    return fields.data.length === 0 || isPrimer ? [] : [{ event: fields.event, data }];
  });
}
