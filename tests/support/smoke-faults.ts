/** Deployments with one fault each, and what the smoke test must say of it. Each is a proxy in front of a healthy server. */
import type { IncomingMessage } from 'node:http';
import type { Exchange, Fault } from './faulty-proxy.ts';
import { ADA, BOB } from './start-server.ts';

/** A broken deployment. */
export interface SmokeFault {
  readonly what: string;
  /** Makes the fault anew for each run, since some keep state. */
  readonly fault: () => Fault;
  readonly args?: readonly string[];
  /** The steps that must fail; no others may. */
  readonly failed: readonly string[];
  /** Matches the detail of the first failed step. */
  readonly detail: RegExp;
  readonly advice: RegExp;
}

/** Gives a request Ada's token. */
function letIn({ headers }: IncomingMessage): void {
  headers.authorization = `Bearer ${ADA}`;
}

/** Whether an answer is an event stream. */
function isStream({ upstream }: Exchange): boolean {
  return upstream.headers['content-type'] === 'text/event-stream' && upstream.statusCode === 200;
}

/** Makes a function that replaces an answer. */
function answerWith(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return ({ upstream, res }: Exchange): void => {
    upstream.resume();
    res.writeHead(status, { 'Content-Type': 'text/html', ...headers }).end(body);
  };
}

/** Faults that let in callers who should be refused. */
export const OPEN_FAULTS: readonly SmokeFault[] = [
  {
    what: 'a session that needs no credential after its handshake, on /mcp',
    fault() {
      const known = new Set<unknown>();
      return {
        changeRequest(incoming) {
          if (known.has(incoming.headers['mcp-session-id'])) incoming.headers.authorization ??= `Bearer ${ADA}`;
        },
        answer({ upstream, forward }) {
          known.add(upstream.headers['mcp-session-id'] ?? 'none');
          forward();
        },
      };
    },
    failed: ['session-credential'],
    detail: /^OPEN: after the handshake POST \/mcp needs no valid credential/,
    advice: /credential of the handshake/,
  },
  {
    what: 'a session that needs no credential after its handshake, on /messages',
    fault() {
      const known: string[] = [];
      return {
        changeRequest(incoming) {
          if (known.some((id) => incoming.url?.includes(id))) incoming.headers.authorization ??= `Bearer ${ADA}`;
        },
        answer({ incoming, upstream, forward }) {
          if (incoming.url === '/sse' && upstream.statusCode === 200)
            upstream.once('data', (first: Buffer) => known.push(/sessionId=([^\s&]+)/.exec(String(first))?.[1] ?? '?'));
          forward();
        },
      };
    },
    failed: ['sse-credential'],
    detail: /^OPEN: after the handshake POST \/messages needs no valid credential/,
    advice: /credential of the handshake/,
  },
  ...['/tools', '/mcp', '/sse', '/messages'].map((path) => ({
    what: `a token in the query of ${path}`,
    fault: (): Fault => ({
      changeRequest(incoming) {
        const found = /[?&](apikey)=([^&]+)/.exec(incoming.url ?? '')?.[2];
        if (incoming.url?.startsWith(path) === true && found !== undefined)
          incoming.headers.authorization ??= `Bearer ${found}`;
      },
    }),
    failed: ['query-credential'],
    detail: new RegExp(`^A credential is read from the query string of ${path} \\(apikey\\)`),
    advice: /headers only/,
  })),
  {
    what: 'tokens compared by a prefix',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.headers.authorization?.startsWith(`Bearer ${ADA.slice(0, 9)}`) === true) letIn(incoming);
      },
    }),
    failed: ['near-tokens'],
    detail: /^OPEN: the token without its last character is accepted/,
    advice: /whole tokens/,
  },
  {
    what: 'tokens compared without regard to case',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.headers.authorization?.toLowerCase() === `bearer ${ADA}`) letIn(incoming);
      },
    }),
    failed: ['near-tokens'],
    detail: /^OPEN: the token in capitals is accepted/,
    advice: /whole tokens/,
  },
  {
    what: 'any x-api-key',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.headers['x-api-key'] === undefined) return;
        delete incoming.headers['x-api-key'];
        letIn(incoming);
      },
    }),
    failed: ['other-headers'],
    detail: /^OPEN: \/tools \(x-api-key\) accepts/,
    advice: /AUTH_ENABLED=true/,
  },
  {
    what: 'any Basic credential, on /mcp alone',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.url === '/mcp' && incoming.headers.authorization?.startsWith('Basic ') === true) letIn(incoming);
      },
    }),
    failed: ['other-headers'],
    detail: /^OPEN: \/mcp \(Authorization\) accepts/,
    advice: /AUTH_ENABLED=true/,
  },
  {
    what: "a cache that serves one user's GET to others",
    fault() {
      let kept: string | undefined;
      return {
        answer({ incoming, upstream, res, forward }) {
          if (incoming.method !== 'GET' || incoming.url !== '/tools') return forward();
          const text: string[] = [];
          upstream.setEncoding('utf8').on('data', (part: string) => text.push(part));
          upstream.on('end', () => {
            if (upstream.statusCode === 200) kept ??= text.join('');
            res.writeHead(kept === undefined ? (upstream.statusCode ?? 0) : 200, {
              ...upstream.headers,
              'content-length': String(Buffer.byteLength(kept ?? text.join(''))),
              ...(kept !== undefined && { age: '7' }),
            });
            res.end(kept ?? text.join(''));
          });
        },
      };
    },
    failed: ['near-tokens', 'cache'],
    detail: /^OPEN/,
    advice: /./,
  },
  {
    what: 'a gateway that makes everybody the same user',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.headers.authorization === `Bearer ${BOB}`) letIn(incoming);
      },
    }),
    args: ['--token2', BOB],
    failed: ['two-users'],
    detail: /^Both tokens belong to ada/,
    advice: /take the deployment offline/,
  },
  {
    what: 'a gateway that makes everybody the same user on /mcp alone',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.url === '/mcp' && incoming.headers.authorization === `Bearer ${BOB}`) letIn(incoming);
      },
    }),
    args: ['--token2', BOB],
    failed: ['two-users'],
    detail: /^Calls of bob run as ada|is accepted/,
    advice: /take the deployment offline/,
  },
  {
    what: 'a gateway that calls as somebody else on /mcp',
    fault: () => ({
      changeRequest: (incoming) => {
        if (incoming.url === '/mcp' && incoming.headers.authorization === `Bearer ${ADA}`)
          incoming.headers.authorization = `Bearer ${BOB}`;
      },
    }),
    failed: ['session', 'stateless'],
    detail: /^Wrong user: calls run as bob, GET \/tools is answered as ada/,
    advice: /confuses its callers/,
  },
]; // prettier-ignore

/** Faults that remove what protects people at a browser. */
export const BROWSER_FAULTS: readonly SmokeFault[] = [
  {
    what: 'a gateway that drops Origin',
    fault: () => ({ changeRequest: ({ headers }) => void delete headers.origin }),
    failed: ['origin'],
    detail: /^GET \/tools of a foreign page is answered 401, not 403/,
    advice: /Origin/,
  },
  {
    what: 'a gateway that allows every origin',
    fault: () => ({
      changeRequest: ({ headers }) => void delete headers.origin,
      answer({ upstream, forward }) {
        upstream.headers['access-control-allow-origin'] = '*';
        forward();
      },
    }),
    failed: ['origin'],
    detail: /Access-Control-Allow-Origin: \*/,
    advice: /CORS/,
  },
  {
    what: 'security headers stripped',
    fault: () => ({
      answer({ upstream, forward }) {
        for (const name of ['x-content-type-options', 'referrer-policy']) delete upstream.headers[name];
        forward();
      },
    }),
    failed: ['security-headers'],
    detail: /^In \/health, .* missing or changed: x-content-type-options, referrer-policy/,
    advice: /proxy_hide_header/,
  },
  {
    what: 'a 401 whose words were replaced',
    fault: () => ({
      answer(exchange) {
        const { statusCode, headers } = exchange.upstream;
        if (statusCode !== 401) return exchange.forward();
        answerWith(401, '<h1>Sorry</h1>', { 'WWW-Authenticate': String(headers['www-authenticate']) })(exchange);
      },
    }),
    failed: ['no-credential', 'wrong-credential', 'other-headers', 'query-credential', 'near-tokens', 'cache', 'sse-credential', 'session-credential'],
    detail: /body of the 401 on \/tools does not come from this server/,
    advice: /proxy_intercept_errors/,
  },
]; // prettier-ignore

/** Faults of proxies that concern streams, sizes and limits. */
export const PROXY_FAULTS: readonly SmokeFault[] = [
  {
    what: 'events late by two seconds',
    fault: () => ({
      answer(exchange) {
        const { upstream, res, forward, forwardHead } = exchange;
        if (!isStream(exchange)) return forward();
        forwardHead();
        upstream.on('data', (piece: Buffer) => void setTimeout(() => res.write(piece), 2_000));
        upstream.on('end', () => void setTimeout(() => res.end(), 2_000));
      },
    }),
    args: ['--timeout', '8'],
    failed: ['sse-events'],
    detail: /^Events are late: the fastest of 3 came [12]\.\d s after/,
    advice: /proxy_buffering off/,
  },
  {
    what: 'answers to POST held until they are whole',
    fault: () => ({
      answer(exchange) {
        const { incoming, upstream, res, forward } = exchange;
        if (!isStream(exchange) || incoming.method !== 'POST') return forward();
        const held: Buffer[] = [];
        upstream.on('data', (piece: Buffer) => held.push(piece)).on('end', () => res.end(Buffer.concat(held)));
      },
    }),
    failed: ['post-stream'],
    detail: /^Nothing arrived of the answer to a POST that is a stream within 3 s/,
    advice: /flush_interval -1/,
  },
  {
    what: "a session's stream answered 502",
    fault: () => ({
      answer(exchange) {
        const { method, url } = exchange.incoming;
        if (method !== 'GET' || url !== '/mcp' || exchange.upstream.statusCode !== 200) return exchange.forward();
        exchange.upstream.destroy();
        exchange.res.writeHead(502, { 'Content-Type': 'text/html' }).end('<title>502 Bad Gateway</title>');
      },
    }),
    failed: ['session-stream'],
    detail: /an HTML page \("502 Bad Gateway"\) with status 502/,
    advice: /no server runs/,
  },
  {
    what: 'streams of /mcp cut below the heartbeat',
    fault: () => ({
      answer(exchange) {
        exchange.forward();
        if (!isStream(exchange) || exchange.incoming.url !== '/mcp') return;
        const timer = setTimeout(() => exchange.res.destroy(), 700);
        exchange.res.once('close', () => clearTimeout(timer));
      },
    }),
    failed: ['session-heartbeat', 'post-heartbeat'],
    detail: /^The stream was closed \d\.\d s after it was opened, when nothing had been sent for \d\.\d s/,
    advice: /proxy_read_timeout 1h/,
    args: ['--heartbeat', '2'],
  },
  {
    what: "a limit on bodies below the server's",
    fault: () => ({
      answer(exchange) {
        if (Number(exchange.incoming.headers['content-length'] ?? 0) <= 1024 * 1024) return exchange.forward();
        answerWith(413, '<title>413 Request Entity Too Large</title>')(exchange);
      },
    }),
    failed: ['body-size'],
    detail: /^A message of 4 MiB does not reach the server: it is answered 413 .* 1 MiB gets through/,
    advice: /client_max_body_size 4m/,
    args: ['--max-body', String(4 * 1024 * 1024)],
  },
  {
    what: 'a header taken away that names the session',
    fault: () => ({
      answer({ upstream, forward }) {
        delete upstream.headers['mcp-session-id'];
        forward();
      },
    }),
    failed: ['raw-session', 'session'],
    detail: /^initialize was answered without a session id/,
    advice: /Mcp-Session-Id/,
  },
  {
    what: '404 turned into 400',
    fault: () => ({
      answer({ incoming, upstream, forward }) {
        if (incoming.method === 'POST' && incoming.url !== '/register' && upstream.statusCode === 404) upstream.statusCode = 400;
        forward();
      },
    }),
    failed: ['session', 'unknown-session'],
    detail: /^The status is 400; expected was 404/,
    advice: /Clients start a new session on 404 only/,
  },
  {
    what: "a login page in place of OAuth's documents",
    fault: () => ({
      answer(exchange) {
        if (exchange.incoming.url?.startsWith('/.well-known/') !== true) return exchange.forward();
        answerWith(200, '<title>Sign in</title>')(exchange);
      },
    }),
    failed: ['discovery'],
    detail: /an HTML page \("Sign in"\)/,
    advice: /login or waiting page/,
  },
  {
    what: 'a server that is being replaced',
    fault: () => ({
      answer({ incoming, upstream, forward }) {
        if (incoming.url === '/ready') upstream.statusCode = 503;
        forward();
      },
    }),
    failed: ['ready'],
    detail: /^The server does not take new work/,
    advice: /wait until the new deployment is up/,
  },
  {
    what: 'a page that says of HTTP+SSE that it is off',
    fault: () => ({
      answer(exchange) {
        if (exchange.incoming.url !== '/') return exchange.forward();
        const face = { authentication: 'bearer', transports: { 'streamable-http': '/mcp' } };
        answerWith(200, JSON.stringify(face), { 'Content-Type': 'application/json' })(exchange);
      },
    }),
    failed: ['page'],
    detail: /^The server says that HTTP\+SSE is off, and \/sse answers 401/,
    advice: /Two servers/,
  },
]; // prettier-ignore
