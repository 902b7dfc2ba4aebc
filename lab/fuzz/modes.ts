/** The ways in which a server can let its users in besides the usual one, by the name that `--mode` takes. */
import { byProvider } from './provider-mode.ts';
import type { OpenMode } from './target.ts';

/** Each way, a line for each. */
export const MODES = new Map<string, OpenMode>();
MODES.set('provider', byProvider);
