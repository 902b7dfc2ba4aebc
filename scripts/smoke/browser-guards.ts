/** Checks what protects people at a browser and proxies may remove: security headers, and the refusal of foreign pages. */
import { randomUUID } from 'node:crypto';
import { type Answer, ask, codeOf, type Request, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** What the value of each header must match. A proxy may change its wording, but not leave it out. */
const HEADERS: readonly (readonly [name: string, fits: RegExp])[] = [
  ['x-content-type-options', /^nosniff$/i],
  ['x-frame-options', /^(deny|sameorigin)$/i],
  ['referrer-policy', /./],
  ['content-security-policy', /frame-ancestors/],
  ['cache-control', /no-store/],
];

/** Checks that every answer has the security headers: a public route, and a refusal. The page has a policy of its own. */
export async function checkSecurityHeaders(target: Target): Promise<Passed> {
  const answers: readonly (readonly [string, Answer])[] = [
    ['/health', await ask(target, '/health')],
    ['the refusal of an unknown path', await ask(target, `/${randomUUID()}`)],
  ];
  for (const [what, { headers }] of answers) requireHeaders(what, headers, HEADERS);
  const page = await ask(target, '/', { headers: { Accept: 'text/html' } });
  const ofPage = HEADERS.filter(([name]) => name.startsWith('content-') || name === 'x-content-type-options');
  requireHeaders('the page', page.headers, ofPage);
  return { detail: HEADERS.map(([name]) => name).join(', ') };
}

/** Fails when a header is missing, or when its value does not match. */
function requireHeaders(what: string, headers: Headers, wanted: typeof HEADERS): void {
  const wrong = wanted.filter(([name, fits]) => !fits.test(headers.get(name) ?? ''));
  if (wrong.length === 0) return;
  const names = wrong.map(([name]) => name).join(', ');
  throw new CheckFailure(
    `In ${what}, these headers are missing or changed: ${names}.`,
    'A proxy removes or replaces headers (nginx: proxy_hide_header; a CDN: its header rules): let those of the server through.',
  );
}

/** An origin that nobody can have allowed: no such name resolves (RFC 6761). */
const FOREIGN = 'https://smoke-test.invalid';

/** Checks that requests of a foreign page are refused, and that no header lets a browser read the answer. */
export async function checkOrigin(target: Target): Promise<Passed> {
  const asked: readonly (readonly [string, Request])[] = [
    ['/tools', {}],
    ['/mcp', { body: { jsonrpc: '2.0', id: 1, method: 'ping' } }],
    ['/mcp', { method: 'OPTIONS', headers: { 'Access-Control-Request-Method': 'POST' } }],
  ];
  for (const [path, request] of asked) {
    const headers = { ...request.headers, Origin: FOREIGN };
    const answer = await ask(target, path, { ...request, headers });
    requireForeignRefused(`${request.method ?? (request.body ? 'POST' : 'GET')} ${path}`, answer);
  }
  return { detail: `403 for ${FOREIGN}, also for the preflight` };
}

/** Fails unless the server itself refused the request of a foreign page. */
function requireForeignRefused(what: string, answer: Answer): void {
  const allowed = answer.headers.get('access-control-allow-origin');
  if (allowed !== null)
    throw new CheckFailure(
      `${what} of a foreign page is answered with Access-Control-Allow-Origin: ${allowed}.`,
      'A proxy allows every origin: any page that a user visits can then talk to the server. Remove its CORS headers; the server sets its own (ALLOWED_ORIGINS).',
    );
  if (answer.status === 403 && codeOf(answer) === 'forbidden_origin') return;
  throw new CheckFailure(
    `${what} of a foreign page is answered ${answer.status}, not 403: the Origin header does not reach the server.`,
    'A proxy removes Origin, and with it the protection against foreign pages: let it through (nginx: no proxy_set_header Origin).',
  );
}
