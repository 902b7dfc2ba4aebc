/** The table of all client configurations, which the connect command, the start messages, the page and the documents show. */
import type { ConnectClient, OneClick } from './client.ts';
import { EDITORS } from './editors.ts';
import { CLAUDE } from './claude.ts';
import { type Link, spellLink } from './links.ts';
import { OTHERS } from './others.ts';
import { type ConnectTarget, mcpUrlOf, TOKEN_PLACEHOLDER } from './target.ts';

/** A client's configuration for one server. */
export interface Configuration extends Omit<ConnectClient, 'render' | 'oneClick' | 'makeFile'> {
  readonly id: ClientId;
  readonly text: string;
  readonly oneClick?: Click;
}

/** The click that configures a client for one server. */
export interface Click extends Pick<OneClick, 'words' | 'next'> {
  readonly link: Link;
  /** Whether the link contains the token, which makes it a secret. */
  readonly holdsToken: boolean;
  /** For texts: with a placeholder, even if the token is known. */
  readonly webLink?: string;
}

const CLIENTS = {
  'sign-in': {
    title: 'Claude, ChatGPT and others that sign in',
    where:
      "the client's field for the address of a remote server (Claude: Settings → Connectors → Add custom connector)",
    form: 'fields',
    note: 'Where signing in is on, the address is all: the client opens a page on which its user signs in. Claude on the web and ChatGPT reach only servers that the internet reaches.',
    runsOn: ['phone', 'windows', 'macos', 'linux'],
    render: mcpUrlOf,
  },
  ...CLAUDE,
  ...EDITORS,
  ...OTHERS,
} as const satisfies Readonly<Record<string, ConnectClient>>;

/** The name of a client. */
export type ClientId = keyof typeof CLIENTS;

/** Every client, in the order in which they are shown. */
// oxlint-disable-next-line no-unsafe-type-assertion -- the keys of a literal, which TypeScript widens to string
export const CLIENT_IDS = Object.keys(CLIENTS) as readonly ClientId[];

/** The clients that fit a server, best first. The first entry, for clients that sign in, is left out if users cannot sign in. */
export function clientIdsFor({ canSignIn }: { readonly canSignIn: boolean }): readonly ClientId[] {
  return canSignIn ? CLIENT_IDS : CLIENT_IDS.filter((id) => id !== 'sign-in');
}

/** The configuration of one client. */
export function renderClient(id: ClientId, target: ConnectTarget): Configuration {
  const { render, oneClick, makeFile: _file, ...client }: ConnectClient = CLIENTS[id];
  const click = oneClick && { oneClick: renderClick(oneClick, target) };
  const note = client.note && { note: wordsFor(target, client.note) };
  return { id, ...client, ...note, ...click, text: render(target) };
}

/** Words for people, without the sentences about tokens if the client sends none. */
function wordsFor({ withoutHeader }: ConnectTarget, text: string): string {
  if (withoutHeader !== true) return text;
  const sentences = text.split(/(?<=\.) /);
  return sentences.filter((sentence) => !/token|request headers/i.test(sentence)).join(' ');
}

/** Makes the file of one client; undefined if its configuration is not a file to download. */
export async function makeClientFile(id: ClientId, target: ConnectTarget): Promise<Uint8Array | undefined> {
  const { makeFile }: ConnectClient = CLIENTS[id];
  return makeFile?.(target);
}

/** Makes the click of a client for one server. */
function renderClick({ words, next, link, webLink }: OneClick, { token, ...target }: ConnectTarget): Click {
  const pieces = link(target);
  return {
    words,
    ...(next !== undefined && { next: wordsFor(target, next) }),
    link: link({ ...target, token }),
    holdsToken: pieces.some(({ text }) => text.includes(TOKEN_PLACEHOLDER)),
    ...(webLink !== undefined && { webLink: spellLink(webLink(target)) }),
  };
}

/** Whether there is a client of this name. */
export function isClientId(name: string): name is ClientId {
  return Object.hasOwn(CLIENTS, name);
}
