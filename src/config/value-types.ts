/** The kinds of values that variables have, as zod schemas that parse their text: for the server's variables and a fork's own. */
import { z } from 'zod';

/** A whole number within bounds. */
export function wholeNumber(fallback: number, min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(fallback);
}

/** A switch. Anything but the six words is refused, so that a typo never switches authentication off. */
export const SWITCH = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false'))
  .transform((word) => word === 'true' || word === '1' || word === 'yes');

/** A comma-separated list. */
export function list<Item extends z.ZodType<string, string>>(item: Item) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(item))
    .default([]);
}

/** `scheme://host[:port]`, as browsers send it in the Origin header. */
const ORIGIN = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    url !== undefined && /^https?:$/.test(url.protocol) && /^\w+:\/\/[^/\\?#@*]+\/?$/.test(text);
  if (!isOrigin) context.addIssue('must be an origin such as https://my-app.example, without a path');
  return url?.origin ?? '';
});

/** The paths of this server itself: a request for one could not be told from what a proxy passes on under a path of the same name. */
export const OWN_PATH =
  /^\/((admin|authorize|page)(\/.*)?|connect\.mcpb|health|messages|metrics|ready|register|revoke|token|tools)$/;

/**
 * The address at which clients reach a server: an origin, and the path under which a proxy has put it, without a slash at its end. The path
 * has only characters without a meaning of their own in URLs, routes and shells.
 */
export const PUBLIC_ADDRESS = z.string().transform((text, context) => {
  const [, origin = '', path = ''] = /^(\w+:\/\/[^/]*)(\/.*)?$/.exec(text) ?? [];
  const parsed = ORIGIN.safeParse(origin);
  const bare = path.replace(/\/$/, '');
  if (!parsed.success || !/^(\/[\w~-][\w.~-]*)*$/.test(bare))
    context.addIssue('must be an address such as https://my-app.example or https://my-app.example/mcp-app');
  else if (/\/(mcp|sse)$/.test(bare))
    context.addIssue('must be the address of the whole server: leave out /mcp or /sse at its end');
  else if (OWN_PATH.test(bare))
    context.addIssue(
      'must not have a path that this server uses itself, such as /tools or /health: put it under another one, such as https://my-app.example/mcp-app',
    );
  return `${parsed.data ?? ''}${bare}`;
});

/** An origin of a page, or of an extension or a program that shows pages: those have schemes of their own. */
export const PAGE_ORIGIN = z.string().transform((text, context) => {
  if (/^(?!https?:|file:)[a-z][a-z0-9+.-]*:\/\/[\w.:-]+$/i.test(text)) return text.toLowerCase();
  const parsed = ORIGIN.safeParse(text);
  if (!parsed.success) {
    context.addIssue(
      'must be whole origins such as https://my-page.example or chrome-extension://abc, without a path or a wildcard, separated by commas',
    );
  }
  return parsed.data ?? '';
});

/** How to write a password with characters that have a meaning in addresses. */
export const HOW_TO_ENCODE =
  'in its user name or password write % as %25, # as %23, / as %2F, ? as %3F and @ as %40';

/** Whether a text is the address of a store, and is read as it is meant: a password that is not encoded may end too early, or not decode at all. */
export function isStoreAddress(text: string): boolean {
  if (!URL.canParse(text) || !canDecode(text)) return false;
  const { pathname, hash } = new URL(text);
  return hash === '' && !pathname.includes('@');
}

/** Whether the percent-encoding of a text is valid. */
export function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** `host[:port]`, as clients send it in the Host header. */
export const HOST_HEADER = z
  .string()
  .refine(
    (text) =>
      /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/.test(text) && URL.canParse(`http://${text}`),
    'must be host names with or without a port, separated by commas',
  )
  .toLowerCase();
