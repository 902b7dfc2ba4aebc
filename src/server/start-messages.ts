/** What an operator is told at the start: why it failed, what is exposed, and the token of this run. */
import type { Logger } from 'pino';
import { NoTokensError } from '../auth/tokens/open-tokens.ts';
import { TokenFileError } from '../auth/tokens/token-file-error.ts';
import { TokenStoreError } from '../auth/tokens/token-store-error.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { howToConnect } from '../connect/how-to-connect.ts';
import { isLoopbackHost } from '../config/network.ts';
import { isGuessable } from '../config/sharing.ts';
import type { ConnectTarget } from '../connect/target.ts';
import { ServiceError } from './services.ts';

/** Errors whose message is all that a person needs. */
const IN_WORDS = [ConfigError, NoTokensError, ServiceError, TokenStoreError];

/** The codes of errors that say that a name or an address does not belong to this machine. */
const NO_OWN_ADDRESS = new Set(['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/** Codes that mean the same for an attempt to listen: an address that needs a zone (`fe80::1`), or IPv6 on a machine without it. */
const NO_PLACE_TO_LISTEN = new Set(['EINVAL', 'EAFNOSUPPORT']);

/** Describes why the start failed, for the person who can fix it; only an unexpected error has its stack. */
export function describeStartFailure(error: unknown): string {
  if (IN_WORDS.some((kind) => error instanceof kind) && error instanceof Error) return error.message;
  if (error instanceof TokenFileError) return `The tokens cannot be used: ${error.message}`;
  if (isSystemError(error)) {
    if (error.code === 'EADDRINUSE')
      return `Port ${error.port} is in use. Stop what listens there, or set PORT to another.`;
    if (error.code === 'EACCES')
      return `Listening on port ${error.port} is not permitted. Set PORT to one above 1023.`;
    if (NO_OWN_ADDRESS.has(error.code) || (error.syscall === 'listen' && NO_PLACE_TO_LISTEN.has(error.code)))
      return 'HOST is not an address of this machine. Set HOST to one.';
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Warns of a SERVER_SECRET that can be guessed, and tells the operator of a deployment without one that sessions end with this process. */
export function adviseSecret({ publicMode, sharing }: Config, log: Logger): void {
  if (sharing.secrets.some(isGuessable))
    log.warn(
      'SERVER_SECRET is not random, and whoever guesses it can make sessions and sign-ins of any user. Set it to what npm run token -- secret prints.',
    );
  if (publicMode && sharing.secrets.length === 0)
    log.info(
      'Sessions end with this process. Set SERVER_SECRET to what npm run token -- secret prints; then they outlive a restart or a deploy.',
    );
}

/** Warns of settings that have no effect, by name. */
export function warnAboutUnusedSettings({ withoutEffect = [] }: Config, log: Logger): void {
  for (const { variables, reason } of withoutEffect)
    log.warn({ variables, reason }, 'settings have no effect');
}

/** Tells the operator the address at which people can sign in, so that their clients need no token. */
export function tellSignIn({ signIn, provider, origin }: Config, url: string, log: Logger): void {
  if (signIn === undefined && provider === undefined) return;
  const at = origin.publicUrl ?? url;
  const who = isLoopbackHost(new URL(at).hostname)
    ? 'programs on this machine can sign in; Claude, ChatGPT and others need a PUBLIC_URL that they reach'
    : 'Claude, ChatGPT and others can sign in';
  log.info({ url: `${at}/mcp` }, who);
}

/** Warns of what is open: authentication that is off, and a Host header that is not checked. */
export function warnAboutExposure({ auth, origin }: Config, log: Logger): void {
  if (!auth.enabled) {
    const who = auth.isOpenToAll ? 'ANYBODY who can reach this server' : 'everything on this machine';
    log.warn(`AUTHENTICATION IS OFF: ${who} can call every tool. Set AUTH_ENABLED=true to switch it on.`);
  }
  if (origin.hosts === 'any') {
    log.warn(
      'The Host header is not checked: other machines may use any name or address of this one. Set PUBLIC_URL to the address that clients use, and it is checked.',
    );
  }
}

/** Prints the token of this run, once, with a configuration to paste. It does not go through the log, which may be kept. */
export function printOneRunToken(
  target: ConnectTarget & { readonly token: string },
  { signIn }: Pick<Config, 'signIn'>,
): void {
  process.stderr.write(
    [
      '',
      'No tokens are configured, so here is one for this run (user "owner"); it is gone with the next start:',
      '',
      `  ${target.token}`,
      '',
      ...howToConnect(target, { canSignIn: signIn !== undefined }),
      'For a token that lasts: npm run token -- create --user me',
      '',
      '',
    ].join('\n'),
  );
}

/** Whether an error comes from the operating system. */
function isSystemError(error: unknown): error is Error & { code: string; port?: number; syscall?: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
