/** The ways of authenticating users besides the usual one, by the name that `--mode` takes. */
import { byProvider } from './provider-mode.ts';
import type { OpenMode } from './target.ts';

/** Each way is added on a line of its own. */
export const MODES = new Map<string, OpenMode>();
MODES.set('provider', byProvider);
