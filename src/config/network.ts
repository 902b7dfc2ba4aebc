/** The variables that say where the server listens, what clients call it, and who may reach it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type PLATFORM_VARIABLES, platformSigns } from './platforms.ts';
import type { Surroundings } from './surroundings.ts';
import { HOST_HEADER, list, PAGE_ORIGIN, PUBLIC_ADDRESS, SWITCH, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** Which Host and Origin headers are allowed. */
export interface OriginConfig {
  /** The address that clients see, such as `https://my-app.example` or, under a path, `https://my-app.example/mcp-app`; absent if it is not known. */
  readonly publicUrl?: string;
  /** Host header values besides the loopback names; `any` when there is nothing to compare with. */
  readonly hosts: readonly string[] | 'any';
  /** The address or name in HOST, in the form of a Host header and allowed with any port; absent for one that is allowed anyway. */
  readonly listensOn?: string;
  /** Origin header values besides loopback ones. */
  readonly origins: readonly string[];
  /** Whether X-Forwarded-* headers of the peer count. */
  readonly trustProxy: boolean;
}

export const NETWORK_VARIABLES = {
  HOST: {
    description:
      'The host name or IP address to listen on. Default: 127.0.0.1, or 0.0.0.0 in public mode (NODE_ENV=production, on a hosting platform, or a HOST that is not loopback).',
    example: '127.0.0.1',
    schema: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.:_-]+)$/, 'must be a host name or an IP address')
      // Brackets belong to URLs: nobody can listen on `[::1]`.
      .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
      .optional(),
  },
  PORT: {
    description: 'The port to listen on; 0 takes any free one.',
    example: '8000',
    schema: wholeNumber(8000, 0, 65_535),
  },
  NODE_ENV: {
    description:
      'Set to production in a deployment: the server is then in public mode, and does not start without a token.',
    example: 'production',
    schema: z
      .enum(['production', 'development', 'test'], 'must be production, development or test')
      .optional(),
  },
  PUBLIC_URL: {
    description:
      "The address at which clients reach this server, with the path if a proxy serves it under one. Default: on Replit, from Replit's variables.",
    example: 'https://my-app.example',
    schema: PUBLIC_ADDRESS.optional(),
  },
  ALLOWED_HOSTS: {
    description:
      'More values of the Host header to accept, separated by commas. Loopback names and the host of PUBLIC_URL are always accepted.',
    example: 'my-app.example,other.example:8443',
    schema: list(HOST_HEADER),
  },
  ALLOWED_ORIGINS: {
    description:
      'More values of the Origin header to accept, separated by commas. Schemes of extensions and programs, such as chrome-extension://, are allowed; wildcards are not.',
    example: 'https://my-page.example',
    schema: list(PAGE_ORIGIN),
  },
  TRUST_PROXY: {
    description:
      'Whether the X-Forwarded-* headers of requests are trusted. Default: true on Replit, else false.',
    example: 'false',
    schema: SWITCH.optional(),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof NETWORK_VARIABLES> & ValuesOf<typeof PLATFORM_VARIABLES>;

/** Where the server listens, and for whom. */
export interface Exposure {
  readonly host: string;
  readonly port: number;
  /** Listens for others than this machine: NODE_ENV=production, a hosting platform, or a HOST that is not loopback. */
  readonly publicMode: boolean;
  /** A deployment, where a token made up at the start would be lost with the next restart. */
  readonly production: boolean;
}

/** Decides where the server listens, and for whom. */
export function exposureOf(values: Values): Exposure {
  const production = values.NODE_ENV === 'production' || values.REPLIT_DEPLOYMENT !== undefined;
  const isElsewhere = values.HOST !== undefined && !isLoopbackHost(values.HOST);
  const publicMode = production || platformSigns(values).length > 0 || isElsewhere;
  const host = values.HOST ?? (publicMode ? '0.0.0.0' : '127.0.0.1');
  return { host, port: values.PORT, publicMode, production };
}

/**
 * Finds the first sign that others are meant to come, in words that follow "because"; undefined if there is none. A proxy on this machine
 * reaches a server on loopback, so where it listens is one sign among several.
 */
export function findInvitation(values: Values, { isContainer }: Surroundings): string | undefined {
  const { NODE_ENV, HOST, TRUST_PROXY, ALLOWED_HOSTS, ALLOWED_ORIGINS } = values;
  const [platform] = platformSigns(values);
  const namesOthers = (urls: readonly string[]): boolean =>
    urls.some((url) => !isLoopbackHost(new URL(url).hostname));
  if (NODE_ENV === 'production') return 'NODE_ENV is production';
  if (platform !== undefined) return `${platform} is set, as a hosting platform does`;
  if (HOST !== undefined && !isLoopbackHost(HOST)) return 'HOST is not a loopback address';
  if (namesOthers(ownAddressesOf(values))) return 'PUBLIC_URL is set';
  if (namesOthers(ALLOWED_HOSTS.map((host) => `http://${host}`))) return 'ALLOWED_HOSTS is set';
  // Other schemes are those of extensions and programs of this machine.
  if (namesOthers(ALLOWED_ORIGINS.filter((origin) => /^https?:/.test(origin))))
    return 'ALLOWED_ORIGINS is set';
  if (TRUST_PROXY === true) return 'TRUST_PROXY is true';
  return isContainer ? 'this is the first process of a container' : undefined;
}

/** Decides which headers are allowed. */
export function originOf(values: Values, { publicMode }: Exposure): OriginConfig {
  const ownAddresses = ownAddressesOf(values);
  const [publicUrl] = ownAddresses;
  const { HOST } = values;
  const hosts = [...values.ALLOWED_HOSTS, ...ownAddresses.map((address) => new URL(address).host)];
  return {
    ...(publicUrl !== undefined && { publicUrl }),
    hosts: publicMode && hosts.length === 0 ? 'any' : hosts,
    ...(HOST !== undefined && !isLetInAnyway(HOST) && { listensOn: spellHost(HOST) }),
    origins: [...values.ALLOWED_ORIGINS, ...ownAddresses.map((address) => new URL(address).origin)],
    trustProxy: values.TRUST_PROXY ?? values.REPL_ID !== undefined,
  };
}

/** The addresses of the server: the first is the one that it tells clients. */
function ownAddressesOf(values: Values): string[] {
  const named = values.PUBLIC_URL === undefined ? [] : [values.PUBLIC_URL];
  return [...new Set([...named, ...replitOrigins(values)])];
}

/** Whether a HOST value needs no entry among the allowed ones: it is a loopback name, or stands for every address of the machine. */
function isLetInAnyway(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|::1|[0:.]+)$/i.test(host);
}

/** A HOST value in the form of a Host header. */
function spellHost(host: string): string {
  return host.includes(':') ? `[${host.toLowerCase()}]` : host.toLowerCase();
}

/** Whether a HOST value is reachable from this machine only. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** The origins of a Replit workspace or deployment, a linked domain's too: Replit terminates TLS in front of it. */
function replitOrigins({ REPLIT_DOMAINS, REPLIT_DEV_DOMAIN }: Values): string[] {
  const domains = (REPLIT_DOMAINS ?? REPLIT_DEV_DOMAIN ?? '').split(',').map((domain) => domain.trim());
  return domains
    .filter((domain) => HOST_HEADER.safeParse(domain).success)
    .map((domain) => `https://${domain.toLowerCase()}`);
}
