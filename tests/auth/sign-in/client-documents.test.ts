/**
 * Client ID Metadata Documents: read once, only from allowed hosts, trusted only for what they can know, and never a way into the server's own
 * network.
 */
import { once } from 'node:events';
import type { LookupAddress } from 'node:dns';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createAddressGuard } from '../../../src/auth/sign-in/address-guard.ts';
import { createClientDocuments, type DocumentOptions } from '../../../src/auth/sign-in/client-documents.ts';
import {
  createFetchDocument,
  createOpenLookUp,
  DEADLINE_MS,
  type FetchDocument,
  type FetchDocumentOptions,
} from '../../../src/auth/sign-in/fetch-document.ts';
import { createRedirectPolicy } from '../../../src/auth/sign-in/redirect-policy.ts';
import { createSelfSignedCertificate } from '../../support/self-signed.ts';

const ID = 'https://claude.ai/oauth/mcp-oauth-client-metadata';
const CALLBACK = 'https://claude.ai/api/mcp/auth_callback';
const NAMED = { client_name: 'Claude' };

let failures: string[] = [];
beforeEach(() => {
  failures = [];
});

/** Makes a reader. */
const make = (fetchDocument: FetchDocument, options: Partial<DocumentOptions> = {}) =>
  createClientDocuments({
    hosts: [],
    redirects: createRedirectPolicy([]),
    fetchDocument,
    onFailure: (_host, reason) => void failures.push(reason),
    ...options,
  });

/** Serves this document, and counts the requests. */
function serving(members: object, headers = {}): FetchDocument & { count: () => number } {
  let count = 0;
  const fetchDocument: FetchDocument = async () => {
    count += 1;
    return { value: members, headers };
  };
  return Object.assign(fetchDocument, { count: () => count });
}

describe('a document', () => {
  test.each([
    ['Claude', ID, { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }, [CALLBACK]],
    [
      'Claude Code',
      'https://claude.ai/oauth/claude-code-client-metadata',
      { redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'] },
      ['http://localhost/callback', 'http://127.0.0.1/callback'],
    ],
    [
      'ChatGPT',
      'https://chatgpt.com/oauth/abc/client.json',
      {
        redirect_uris: ['https://chatgpt.com/connector/oauth/abc'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_methods: ['private_key_jwt', 'none'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:other'],
        jwks_uri: 'https://chatgpt.com/jwks',
      },
      ['https://chatgpt.com/connector/oauth/abc'],
    ],
    [
      'VS Code',
      'https://vscode.dev/oauth/client-metadata.json',
      { redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect', 'https://evil.example/'] },
      ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
    ],
  ])('like that of %s is accepted', async (name, id, members, redirectUris) => {
    const documents = make(serving({ client_id: id, client_name: name, ...members }));

    expect(await documents.read(id)).toEqual({ name, host: new URL(id).host, redirectUris, refreshes: true });
  });

  test.each([
    ['of another client', { ...NAMED, client_id: `${ID}2`, redirect_uris: [CALLBACK] }],
    ['without redirects', { ...NAMED, client_id: ID }],
    ['with redirects elsewhere', { ...NAMED, client_id: ID, redirect_uris: ['https://evil.example/cb'] }],
    ['without a name', { client_id: ID, redirect_uris: [CALLBACK] }],
    ['whose name is invisible', { client_id: ID, redirect_uris: [CALLBACK], client_name: ' \u200b' }],
    ['that is no object', []],
  ])('%s is refused', async (_what, members) => {
    await expect(make(serving(members)).read(ID)).rejects.toMatchObject({ code: 'invalid_client' });
    expect(failures).toHaveLength(1);
  });

  test.each([
    ['http://claude.ai/client.json'],
    ['https://evil.example/client.json'],
    ['https://claude.ai.evil.example/client.json'],
    ['https://claude.ai:8443/client.json'],
    ['https://user@claude.ai/client.json'],
    ['https://claude.ai/'],
    ['https://claude.ai/a/../client.json'],
    ['https://CLAUDE.ai/client.json'],
    ['https://claude.ai/client.json#x'],
    [`https://claude.ai/${'a'.repeat(600)}`],
  ])('at %s is not requested', async (id) => {
    const fetchDocument = serving({ client_id: id, redirect_uris: [CALLBACK] });

    await expect(make(fetchDocument).read(id)).rejects.toMatchObject({ code: 'invalid_client' });
    expect(fetchDocument.count()).toBe(0);
  });

  test('is read once for concurrent requests, again when it is stale, and not at once after a failure', async () => {
    let nowMs = 0;
    const good = serving(
      { ...NAMED, client_id: ID, redirect_uris: [CALLBACK] },
      { 'cache-control': 'max-age=1' },
    );
    const documents = make(good, { now: () => nowMs });
    await Promise.all(Array.from({ length: 20 }, async () => documents.read(ID)));
    nowMs = 299_000;
    await documents.read(ID);
    const early = good.count();
    nowMs = 301_000;
    await documents.read(ID);
    const bad = serving({});
    const failing = make(bad, { now: () => nowMs });
    await failing.read(ID).catch(() => undefined);
    await failing.read(ID).catch(() => undefined);

    expect([early, good.count(), bad.count()]).toEqual([1, 2, 1]);
  });

  test('that could not be read is requested again after a second, then after twice as long each time, up to 30 seconds', async () => {
    let nowMs = 0;
    let isUp = false;
    const askedAtMs: number[] = [];
    const documents = make(
      async () => {
        askedAtMs.push(nowMs);
        if (!isUp) throw new Error('status 503');
        return { value: { ...NAMED, client_id: ID, redirect_uris: [CALLBACK] }, headers: {} };
      },
      { now: () => nowMs },
    );

    for (; nowMs < 100_000; nowMs += 500) await documents.read(ID).catch(() => undefined);
    const pauses = askedAtMs.map((atMs, index) => atMs - (askedAtMs[index - 1] ?? 0));
    isUp = true;
    nowMs += 30_000;

    expect(pauses).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    await expect(documents.read(ID)).resolves.toBeDefined();
  });
});

/** A host with one document. */
const hostOfOne = () => {
  const asked: string[] = [];
  const fetchDocument: FetchDocument = async ({ href }) => {
    asked.push(href);
    if (href !== ID) throw new Error('status 404');
    return { value: { ...NAMED, client_id: ID, redirect_uris: [CALLBACK] }, headers: {} };
  };
  return { asked, fetchDocument };
};

/** The message of an error. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '');

describe('many missing documents', () => {
  test('do not evict a document in use', async () => {
    const { asked, fetchDocument } = hostOfOne();
    const documents = make(fetchDocument);
    await documents.read(ID);

    for (let index = 0; index < 300; index += 1)
      await documents.read(`https://claude.ai/${index}.json`).catch(() => undefined);
    await documents.read(ID);

    expect(asked.filter((href) => href === ID)).toHaveLength(1);
    expect(asked).toHaveLength(301);
  });

  test('and many existing ones do not evict a document that is used in between', async () => {
    const asked: string[] = [];
    const documents = make(async ({ href }) => {
      asked.push(href);
      return { value: { ...NAMED, client_id: href, redirect_uris: [CALLBACK] }, headers: {} };
    });

    for (let index = 0; index < 300; index += 1) {
      await documents.read(`https://claude.ai/${index}.json`);
      if (index % 50 === 0) await documents.read(ID);
    }

    expect(asked.filter((href) => href === ID)).toHaveLength(1);
  });

  test('are limited where they have to be read, and known documents are not', async () => {
    const { asked, fetchDocument } = hostOfOne();
    const documents = make(fetchDocument);
    const counted: string[] = [];
    const count = (clientId: string): void => {
      if (counted.length >= 3) throw new Error('too often');
      counted.push(clientId);
    };

    const messages = [];
    for (const name of ['a', 'a', 'b', 'c', 'd'])
      messages.push(await documents.read(`https://claude.ai/${name}`, count).catch(messageOf));
    const other = await documents.read(ID);

    expect(messages).toEqual([
      ...Array.from({ length: 4 }, () => expect.stringContaining('cannot be used')),
      'too often',
    ]);
    expect([counted.length, asked.length, other.host]).toEqual([3, 4, 'claude.ai']);
  });
});

describe('an IP address', () => {
  const isOpen = createAddressGuard();

  test.each([
    '127.0.0.1', '127.255.255.254', '0.0.0.0', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1',
    '192.0.0.192', '198.18.0.1', '224.0.0.1', '255.255.255.255', '::', '::1', '0:0:0:0:0:0:0:1', '::127.0.0.1', '::7f00:1', '::ffff:127.0.0.1',
    '::ffff:7f00:1', '::FFFF:10.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::127.0.0.1', '64:ff9b:1::7f00:1', '100::1', 'fe80::1',
    'fe80::1%lo', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001::1', '2001:0:7f00:1::', '2001:db8::1', '2002:7f00:1::', '3fff::1', '5f00::1',
    '', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '8.8.8.8 ', '[2606:4700::1111]',
  ])('such as %j is not public', (address) => {
    expect(isOpen(address)).toBe(false);
  }); // prettier-ignore

  test.each(['1.1.1.1', '172.15.255.255', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00::1'])(
    'such as %s is public',
    (address) => {
      expect(isOpen(address)).toBe(true);
    },
  );
});

/** What a name resolves to in successive lookups with these answers. */
async function lookUpEach(...answers: LookupAddress[][]): Promise<unknown[]> {
  const left = [...answers];
  const lookUp = createOpenLookUp((_name, _options, callback) => callback(null, left.shift() ?? []));
  const ask = async (options: object) =>
    new Promise((resolve) => {
      lookUp('rebinding.example', options, (error, address) => resolve(error?.message ?? address));
    });
  const found = [];
  for (const [index] of answers.entries()) found.push(await ask(index % 2 === 0 ? { all: true } : {}));
  return found;
}

describe('a host name', () => {
  const OPEN = { address: '1.1.1.1', family: 4 };
  const NEAR = { address: '127.0.0.1', family: 4 };
  const MAPPED = { address: '::ffff:10.0.0.1', family: 6 };

  const REFUSED = 'its host is not a public address';

  test('that resolves to a private address later is refused then: each connection looks it up anew', async () => {
    expect(await lookUpEach([OPEN], [NEAR], [MAPPED], [OPEN])).toEqual([[OPEN], REFUSED, REFUSED, OPEN.address]);
  }); // prettier-ignore

  test('that resolves to several addresses is contacted only at the public ones', async () => {
    expect(await lookUpEach([NEAR, OPEN, MAPPED], [MAPPED, NEAR, OPEN], [NEAR, MAPPED], [])).toEqual([
      [OPEN],
      OPEN.address,
      REFUSED,
      REFUSED,
    ]);
  });

  test('that cannot be resolved fails with the error of the lookup', async () => {
    const lookUp = createOpenLookUp((_name, _options, callback) => callback(new Error('ENOTFOUND'), []));

    const message = await new Promise((resolve) => {
      lookUp('nowhere.example', {}, (error) => resolve(error?.message));
    });

    expect(message).toBe('ENOTFOUND');
  });
});

describe("the server's own network", () => {
  let sink: Server;
  let port = 0;
  let connections = 0;
  let answer: { status: number; headers: Record<string, string>; body: string };
  beforeAll(async () => {
    sink = createServer(createSelfSignedCertificate(), (_req, res) => {
      res.writeHead(answer.status, answer.headers).end(answer.body);
    });
    sink.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => {
      sink.listen(0, '127.0.0.1', resolve);
    });
    ({ port } = sink.address() as AddressInfo);
  });
  beforeEach(() => {
    connections = 0;
    answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' };
  });
  afterAll(() => void sink.close());

  test.each([
    'localhost',
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '169.254.169.254',
    '10.0.0.1',
  ])('is not contacted through %s, whatever hosts are allowed', async (host) => {
    const id = new URL(`https://${host}:${port}/client.json`).href;

    await expect(make(createFetchDocument(), { hosts: ['*'] }).read(id)).rejects.toMatchObject({
      code: 'invalid_client',
    });
    expect(failures).toEqual(['its host is not a public address']);
    expect(connections).toBe(0);
  });

  test('is contacted at a host that the operator names, whose certificate is still checked', async () => {
    const host = `127.0.0.1:${port}`;

    await expect(
      make(createFetchDocument(), { hosts: [host] }).read(`https://${host}/client.json`),
    ).rejects.toMatchObject({ code: 'invalid_client' });
    expect(connections).toBe(1);
    expect(failures).toEqual([expect.stringMatching(/certificate/)]);
  });
});

/** A document of so many bytes. */
const ofBytes = (count: number): string => '{}'.padEnd(count);

describe('the server of a client document', () => {
  const certificate = createSelfSignedCertificate('localhost');
  /** What the server does with the response. */
  let respond: (res: ServerResponse) => void;
  let server: Server;
  let url: URL;
  beforeAll(async () => {
    server = createServer(certificate, (_req, res) => respond(res)).listen(0, 'localhost');
    await once(server, 'listening');
    url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/client.json`);
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  /** Reads the document. */
  const read = async (options: FetchDocumentOptions = {}) =>
    createFetchDocument({ ca: certificate.cert, ...options })(url, { mayBeNear: true });

  const JSON_HEADERS = { 'Content-Type': 'application/json' };

  test('may send 5 KiB', async () => {
    respond = (res) => res.writeHead(200, JSON_HEADERS).end(ofBytes(5 * 1024));

    expect((await read()).value).toEqual({});
  });

  test.each<[string, (res: ServerResponse) => void, string]>([
    ['more than 5 KiB', (res) => res.writeHead(200, JSON_HEADERS).end(ofBytes(5 * 1024 + 1)), 'larger than 5120 bytes'],
    ['a redirect', (res) => res.writeHead(302, { ...JSON_HEADERS, Location: '/other' }).end('{}'), 'status 302'],
    ['a permanent redirect', (res) => res.writeHead(308, { ...JSON_HEADERS, Location: '/other' }).end('{}'), 'status 308'],
    ['another media type', (res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('{}'), 'not JSON'],
    ['no media type', (res) => res.writeHead(200).end('{}'), 'not JSON'],
    ['malformed JSON', (res) => res.writeHead(200, JSON_HEADERS).end('{'), 'JSON'],
    ['bytes that are not UTF-8', (res) => res.writeHead(200, JSON_HEADERS).end(Buffer.from('"\xff"', 'latin1')), 'not valid'],
    ['a compressed document', (res) => res.writeHead(200, { ...JSON_HEADERS, 'Content-Encoding': 'gzip' }).end(gzipSync('{}')), 'not valid'],
    ['an answer that breaks off', (res) => res.writeHead(200, { ...JSON_HEADERS, 'Content-Length': '9' }).write('{}', () => res.destroy()), 'aborted'],
    ['no answer', (res) => res.destroy(), 'hang up'],
  ])('may not send %s', async (_what, answer, reason) => {
    respond = answer;

    await expect(read()).rejects.toThrow(reason);
  }); // prettier-ignore

  test('has 5 seconds for the whole answer', async () => {
    respond = (res) => res.writeHead(200, JSON_HEADERS).write('{');

    await expect(read({ deadlineMs: 50 })).rejects.toThrow('aborted');
    expect(DEADLINE_MS).toBe(5_000);
  });
});
