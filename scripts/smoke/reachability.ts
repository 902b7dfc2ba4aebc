/** Checks that the deployment answers over valid TLS and is ready, and reads what it says of itself. */
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { z } from 'zod';
import { type Answer, ask, parseJson, requireJson, type Target } from './http.ts';
import { explainNetworkError } from './network-error.ts';
import { CheckFailure, withDeadline } from './outcome.ts';
import { isLocal, type SmokeOptions } from './options.ts';
import type { Passed } from './steps.ts';

/** What the deployment says of itself. */
export interface Face extends Passed {
  readonly authEnabled: boolean;
  readonly sseEnabled: boolean;
  /** Whether users can sign in, here or at another server. */
  readonly canSignIn: boolean;
}

const HEALTH = z.looseObject({ status: z.literal('ok'), version: z.string() });
const READY = z.looseObject({ status: z.string() });
const FACE = z.looseObject({
  authentication: z.enum(['bearer', 'none']),
  signIn: z.string().optional(),
  transports: z.looseObject({ 'streamable-http': z.string(), sse: z.string().optional() }),
});

/** Checks that Node verifies certificates: otherwise a passing run says nothing, and the token would go to whoever answers. */
export async function checkCertificatesAreChecked({
  takesAnyCertificate,
}: Pick<SmokeOptions, 'takesAnyCertificate'>): Promise<Passed> {
  if (!takesAnyCertificate) return { detail: 'this machine checks them, as clients do' };
  throw new CheckFailure(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 is set: this check accepts any certificate, but clients would refuse a bad one.',
    'Run it again without the variable (unset NODE_TLS_REJECT_UNAUTHORIZED). For a private authority set NODE_EXTRA_CA_CERTS to its file.',
  );
}

/** Checks that `/health` answers as this server does. */
export async function checkHealth(target: Target): Promise<Passed> {
  const first = await ask(target, '/health');
  if (parseJson(first, HEALTH) === undefined && target.url.pathname !== '/') await explainPath(target, first);
  const { version } = requireJson(first, [200], HEALTH);
  // The first request includes the name look-up, the connection and TLS.
  const second = await ask(target, '/health');
  return {
    detail: `version ${version}, first answer ${ms(first.durationMs)}, then ${ms(second.durationMs)}`,
  };
}

/** Fails with the right address when the server is there and only the path is wrong. */
async function explainPath(target: Target, { status }: Answer): Promise<void> {
  const atOrigin = { ...target, url: new URL('/', target.url) };
  if (parseJson(await ask(atOrigin, '/health'), HEALTH) === undefined) return;
  throw new CheckFailure(
    `The server does not answer under ${target.url.pathname} (status ${status}).`,
    `The server answers at ${target.url.origin}: give that address, or the one with /mcp.`,
  );
}

/** Checks that `/ready` says that the server accepts work. */
export async function checkReady(target: Target): Promise<Passed> {
  const answer = await ask(target, '/ready');
  const { status } = requireJson(answer, [200, 503], READY);
  if (answer.status === 200) return { detail: status };
  const advice = 'It is being stopped or replaced: wait until the new deployment is up and run this again.';
  throw new CheckFailure(`The server does not take new work (${status}).`, advice);
}

/** Reads `GET /` as JSON: the transports, whether tokens are required, and the address that the server takes for its own. */
export async function readFace(target: Target): Promise<Face> {
  const answer = await ask(target, '/', { headers: { Accept: 'application/json' } });
  const { authentication, signIn, transports } = requireJson(answer, [200], FACE);
  const address = transports['streamable-http'];
  const here = target.url.href.replace(/\/$/, '');
  const believed = URL.canParse(address) ? address.replace(/\/mcp$/, '') : here;
  if (believed !== here && !isLocal(target.url)) {
    const advice =
      'Set PUBLIC_URL to the address that clients use: the page and the client configurations show it.';
    throw new CheckFailure(`The server takes ${believed} for its own address.`, advice);
  }
  const sseEnabled = transports.sse !== undefined;
  if (!sseEnabled) await requireNoSse(target);
  return {
    detail: `authentication: ${authentication}; transports: ${Object.keys(transports).join(', ')}`,
    authEnabled: authentication === 'bearer',
    sseEnabled,
    canSignIn: signIn !== undefined,
  };
}

/** Checks that the server does not answer HTTP+SSE when it says that this is off: no other step would check it. */
async function requireNoSse(target: Target): Promise<void> {
  const { status } = await ask(target, '/sse');
  if (status === 404) return;
  throw new CheckFailure(
    `The server says that HTTP+SSE is off, and /sse answers ${status}.`,
    'Two servers seem to answer under this URL, or a cache has kept the answer of an older one: run it again.',
  );
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A certificate that ends within this time should have been renewed. Milliseconds. */
const RENEWED_BEFORE_MS = 7 * DAY_MS;
/** Certificates that last days or hours are renewed when a third or a half of that is left, so less than this part is too little. */
const RENEWED_BEFORE_PART = 0.2;

/** Checks that the connection is encrypted, and that its certificate does not end soon. */
export async function checkTls(target: Target): Promise<Passed> {
  const { protocol, validity } = await readCertificate(target);
  const plain = await describePlainHttp(target);
  return { detail: `${protocol}, ${judgeCertificate(validity, Date.now())}${plain}` };
}

/** The time in which a certificate is valid, as Node formats it. */
interface Validity {
  readonly from: string;
  readonly to: string;
}

/** Says how long a certificate is still valid; throws when it should have been renewed. */
export function judgeCertificate({ from, to }: Validity, nowMs: number): string {
  const leftMs = Date.parse(to) - nowMs;
  const lifeMs = Date.parse(to) - Date.parse(from);
  const left =
    leftMs < 2 * DAY_MS ? `${Math.floor(leftMs / HOUR_MS)} hours` : `${Math.floor(leftMs / DAY_MS)} days`;
  if (leftMs >= Math.min(RENEWED_BEFORE_MS, RENEWED_BEFORE_PART * lifeMs))
    return `certificate valid for ${left}`;
  const advice = 'It should have been renewed by now: look at how the host renews it.';
  throw new CheckFailure(`The certificate ends in ${left}.`, advice);
}

/** Reads the TLS version in use and the validity of the certificate. */
async function readCertificate({
  url,
  timeoutMs,
}: Target): Promise<{ protocol: string; validity: Validity }> {
  let socket: TLSSocket | undefined;
  const read = new Promise<{ protocol: string; validity: Validity }>((resolve, reject) => {
    const host = url.hostname.replaceAll(/[[\]]/g, '');
    const opened = connect({
      host,
      port: Number(url.port || 443),
      ...(isIP(host) === 0 && { servername: host }),
    });
    socket = opened;
    opened.once('error', reject);
    opened.once('secureConnect', () => {
      const { valid_from: from, valid_to: to } = opened.getPeerCertificate();
      resolve({ protocol: opened.getProtocol() ?? 'TLS', validity: { from, to } });
    });
  });
  try {
    return await withDeadline(read, timeoutMs, noTls);
  } catch (error) {
    throw error instanceof CheckFailure ? error : explainNetworkError(error, timeoutMs);
  } finally {
    socket?.destroy();
  }
}

/** The failure of a TLS handshake that takes too long. */
function noTls(): CheckFailure {
  return new CheckFailure('No TLS connection was made in time.', 'Run it again; --timeout 60 waits longer.');
}

/** Says what the same host answers on plain HTTP; empty where the URL has a port. Sends no token. */
async function describePlainHttp(target: Target): Promise<string> {
  if (target.url.port !== '') return '';
  try {
    const { status, headers } = await ask(
      { ...target, url: new URL(`http://${target.url.host}`) },
      '/health',
    );
    if (status >= 300 && status < 400 && headers.get('location')?.startsWith('https:') === true)
      return '; http:// redirects to https://';
    return `; http:// answers ${status} too: never give it to a client`;
  } catch {
    return '; nothing on http://';
  }
}

/** Formats a duration in milliseconds for people. */
function ms(durationMs: number): string {
  return `${Math.round(durationMs)} ms`;
}
