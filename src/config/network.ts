/** The variables that say where the server listens, what clients call it, and who may reach it. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { HOST_HEADER, list, ORIGIN, SWITCH, wholeNumber } from './value-types.ts';
import type { ValuesOf, Variables } from './variable.ts';

/** Which Host and Origin headers are let in. */
export interface OriginConfig {
  /** The origin that clients see, such as `https://my-app.example`; absent when nobody said. */
  readonly publicUrl?: string;
  /** Host header values besides the loopback names; `any` when there is nothing to compare with. */
  readonly hosts: readonly string[] | 'any';
  /** Origin header values besides loopback ones. */
  readonly origins: readonly string[];
  /** Whether X-Forwarded-* of the peer counts. */
  readonly trustProxy: boolean;
}

export const NETWORK_VARIABLES = {
  HOST: {
    description:
      'Where to listen. In public mode (NODE_ENV=production, on Replit, or a HOST that is not loopback) the default is 0.0.0.0.',
    example: '127.0.0.1',
    schema: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.:_-]+)$/, 'must be a host name or an IP address')
      // Brackets belong to URLs: nobody can listen on `[::1]`.
      .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
      .optional(),
  },
  PORT: {
    description: 'The port; 0 takes a free one.',
    example: '8000',
    schema: wholeNumber(8000, 0, 65_535),
  },
  NODE_ENV: {
    description: 'Set to production in a deployment: public mode, and no start without a token.',
    example: 'production',
    schema: z
      .enum(['production', 'development', 'test'], 'must be production, development or test')
      .optional(),
  },
  PUBLIC_URL: {
    description: "The origin that clients see. Default: from Replit's variables.",
    example: 'https://my-app.example',
    schema: ORIGIN.optional(),
  },
  ALLOWED_HOSTS: {
    description:
      "More Host headers to let in, separated by commas; loopback names and PUBLIC_URL's are let in anyway.",
    example: 'my-app.example,other.example:8443',
    schema: list(HOST_HEADER),
  },
  ALLOWED_ORIGINS: {
    description: 'More Origin headers to let in, separated by commas.',
    example: 'https://my-page.example',
    schema: list(ORIGIN),
  },
  TRUST_PROXY: {
    description: 'Whether X-Forwarded-* headers count. Default: true on Replit, else false.',
    example: 'false',
    schema: SWITCH.optional(),
  },
} as const satisfies Variables;

/** What hosting platforms set by themselves, and nobody by hand. */
export const PLATFORM_VARIABLES = {
  REPL_ID: {
    description: 'Set by Replit.',
    example: '',
    isSetByPlatform: true,
    schema: z.string().optional(),
  },
  REPLIT_DEPLOYMENT: {
    description: 'Set by Replit in a deployment.',
    example: '',
    isSetByPlatform: true,
    schema: z.string().optional(),
  },
  REPLIT_DOMAINS: {
    description: 'Set by Replit.',
    example: '',
    isSetByPlatform: true,
    schema: z.string().optional(),
  },
  REPLIT_DEV_DOMAIN: {
    description: 'Set by Replit.',
    example: '',
    isSetByPlatform: true,
    schema: z.string().optional(),
  },
} as const satisfies Variables;

type Values = ValuesOf<typeof NETWORK_VARIABLES> & ValuesOf<typeof PLATFORM_VARIABLES>;

/** Where the server listens, and for whom. */
export interface Exposure {
  readonly host: string;
  readonly port: number;
  /** Reachable by others than this machine: NODE_ENV=production, Replit, or a HOST that is not loopback. */
  readonly publicMode: boolean;
  /** A deployment, where a token made up at the start would be lost with the next restart. */
  readonly production: boolean;
}

/** Who can reach the server. */
export function exposureOf(values: Values): Exposure {
  const production = values.NODE_ENV === 'production' || values.REPLIT_DEPLOYMENT !== undefined;
  const publicMode =
    production || values.REPL_ID !== undefined || (values.HOST !== undefined && !isLoopbackHost(values.HOST));
  const host = values.HOST ?? (publicMode ? '0.0.0.0' : '127.0.0.1');
  return { host, port: values.PORT, publicMode, production };
}

/** Which headers are let in. */
export function originOf(values: Values, { publicMode }: Exposure): OriginConfig {
  // What clients may call the server: the first is the one it tells them.
  const named = values.PUBLIC_URL === undefined ? [] : [values.PUBLIC_URL];
  const ownOrigins = [...new Set([...named, ...replitOrigins(values)])];
  const [publicUrl] = ownOrigins;
  const hosts = [...values.ALLOWED_HOSTS, ...ownOrigins.map((origin) => new URL(origin).host)];
  return {
    ...(publicUrl !== undefined && { publicUrl }),
    hosts: publicMode && hosts.length === 0 ? 'any' : hosts,
    origins: [...values.ALLOWED_ORIGINS, ...ownOrigins],
    trustProxy: values.TRUST_PROXY ?? values.REPL_ID !== undefined,
  };
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
