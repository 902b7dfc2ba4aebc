/** The command line of programs that look at a running server: `URL [--only NAME]`, and the token in SMOKE_TOKEN. */
import { parseArgs } from 'node:util';

/** What it says. */
export interface ServerLine {
  /** Where the server is, without the path of its endpoint. */
  readonly url: string;
  readonly token: string | undefined;
  readonly only: string | undefined;
}

/** Reads the command line; undefined when it is wrong. */
export function readServerLine(): ServerLine | undefined {
  try {
    const { values, positionals } = parseArgs({
      options: { only: { type: 'string' } },
      allowPositionals: true,
    });
    const [text = '', ...others] = positionals;
    if (others.length > 0 || !/^https?:$/.test(new URL(text).protocol)) return undefined;
    const { SMOKE_TOKEN: token } = process.env;
    return {
      url: text.replace(/\/(mcp\/?)?$/, ''),
      token: token === '' ? undefined : token,
      only: values.only,
    };
  } catch {
    return undefined;
  }
}
