/** Shows a new token, once, with a configuration to paste into a client. */
import { tokenIdOf } from '../../src/auth/digest.ts';
import type { EntryFields } from '../../src/auth/tokens/token-edit.ts';
import { renderClient } from '../../src/connect/clients.ts';
import { howToConnect } from '../../src/connect/how-to-connect.ts';
import { personalLink } from '../../src/connect/target.ts';
import { readPackage } from '../../src/package.ts';
import { adminPageLines } from './admin-page.ts';
import type { CommandContext } from './context.ts';
import { printable, printableJson } from '../../src/printable.ts';
import { tellOutlook } from './outlook.ts';
import type { Edited } from '../../src/auth/tokens/token-store.ts';

/** A token that has just been stored. */
export interface NewToken {
  readonly token: string;
  readonly digest: string;
  readonly fields: EntryFields;
  /** The id of the token that it replaces, and until when that one works. */
  readonly replaces?: { readonly id: string; readonly until: string };
}

/** Prints the token: for people with what to do next, with `--json` as one object. */
export function showNewToken(
  context: CommandContext,
  { token, digest, fields, replaces }: NewToken,
  edited: Edited<unknown>,
): void {
  const { line, store, address, print, now } = context;
  const { origin } = address;
  const { userId, name, scopes, expiresAt, metadata } = fields;
  const id = tokenIdOf(digest);
  const target = { name: readPackage().name, origin, token };
  if (line.json) {
    const { text } = renderClient('claude-desktop', target);
    const facts = {
      id,
      token,
      link: personalLink(target),
      userId,
      name: name ?? userId,
      scopes: scopes ?? null,
    };
    const dates = { created: metadata?.['created'] ?? null, expiresAt: expiresAt ?? null };
    const note = metadata?.['note'] ?? null;
    const extra = {
      ...(replaces && { replaces }),
      file: store.name,
      configuration: JSON.parse(text) as unknown,
    };
    print(printableJson({ ...facts, ...dates, note, ...extra }));
    tellOutlook(context, edited);
    return;
  }
  const owner = printable(name === undefined ? userId : `${userId} (${name})`);
  const end = expiresAt === undefined ? 'until it is revoked' : `until ${expiresAt}`;
  const before =
    replaces === undefined
      ? []
      : [
          Date.parse(replaces.until) <= now()
            ? `It replaces ${replaces.id}, which no longer works.`
            : `It replaces ${replaces.id}, which works until ${replaces.until}.`,
        ];
  print(
    [
      `Token ${id} of ${owner}, valid ${end}:`,
      '',
      `  ${token}`,
      '',
      `It is shown only this once; ${store.name} holds its digest only.`,
      ...before,
      '',
      'For its user, a link to a page that connects clients in one click. It contains the token, so keep it secret:',
      '',
      `  ${personalLink(target)}`,
      '',
      ...adminPageLines(origin, scopes),
      ...(address.isNamed ? [] : [ASK_FOR_URL, '']),
      ...howToConnect(target, context),
      '',
    ].join('\n'),
  );
  tellOutlook(context, edited);
}

/** The hint where neither an option nor a variable says where clients find the server. */
const ASK_FOR_URL =
  'This is for a server on this machine. For a server elsewhere, give its address with --url https://my-app.example or PUBLIC_URL.';
