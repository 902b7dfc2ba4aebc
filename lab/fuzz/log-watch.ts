/** Reads a server's log as it is written, and records what must never be in a log. */

/** A watched log. */
export interface LogWatch {
  push(text: string): void;
  /** One sentence for each problem, ten at the most. */
  readonly problems: readonly string[];
  /** The number of complete lines so far. */
  readonly lines: number;
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** Matches codes, tokens, ids and tickets of a sign-in, and JWTs. */
const SEALED = /mcp_(?:at|rt|ac|ci|cs|rq)_|eyJ[\w-]+\./;

const MAX_PROBLEMS = 10;

/** Watches for these secrets, for errors except the allowed ones, for arguments (`canary-`), and for whole session ids. */
export function createLogWatch(secrets: readonly string[], allowedErrors = /(?!)/): LogWatch {
  const problems: string[] = [];
  let rest = '';
  let lines = 0;
  const note = (problem: string): void => void (problems.length < MAX_PROBLEMS && problems.push(problem));
  const check = (line: string): void => {
    lines += 1;
    if (secrets.some((secret) => line.includes(secret))) return note('a token in the log');
    if (line.includes('canary-')) return note(`an argument in the log: ${line.slice(0, 400)}`);
    const parsed = parse(line);
    if (parsed === undefined) return note(`a line that is no log line: ${line.slice(0, 400)}`);
    const { level, requestId: _name, ...others } = parsed;
    if ((level === 'error' || level === 'fatal') && !allowedErrors.test(line))
      return note(`an error in the log: ${line.slice(0, 1_500)}`);
    // Request ids are the only UUIDs that may appear whole.
    if (UUID.test(JSON.stringify(others))) return note(`a session id in the log: ${line.slice(0, 400)}`);
    if (SEALED.test(line)) note(`a sealed value in the log: ${line.slice(0, 400)}`);
  };
  return {
    problems,
    get lines() {
      return lines;
    },
    push(text) {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) check(line);
    },
  };
}

/** Parses the fields of a line; undefined when it is no JSON object. */
function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
