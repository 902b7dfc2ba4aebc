/** The commands that change or remove entries: edit, disable, enable, sign-out, revoke, prune. */
import type { EntryChange } from '../../src/auth/tokens/token-edit.ts';
import type { TokenEntry } from '../../src/auth/tokens/token-set.ts';
import { TokenFileError } from '../../src/auth/tokens/token-file-error.ts';
import { TokenStoreError } from '../../src/auth/tokens/token-store-error.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { namingOptions, parseLimit } from './create.ts';
import { describeEntry } from '../../src/auth/tokens/entry-facts.ts';
import { entriesOfUser, findEntry } from './entries.ts';
import { formatMoment } from '../../src/auth/tokens/new-token.ts';
import { parseExpiry, parseLength } from './moments.ts';
import { tellOutlook } from './outlook.ts';
import { printable, printableJson } from '../../src/printable.ts';
import { parseScopes } from '../../src/auth/tokens/scopes.ts';
import { warnOfUnknownScopes } from './known-scopes.ts';

/** What a command does to the entries that it chooses. */
interface Action {
  /** The past tense, for people: `Revoked`. In JSON it is the name of the list. */
  readonly done: string;
  readonly choose: (entries: readonly TokenEntry[], context: CommandContext) => readonly TokenEntry[];
  /** The change to make; undefined removes the entry. */
  readonly change: (entry: TokenEntry, context: CommandContext) => EntryChange | undefined;
}

/** `edit`: changes the name, scopes, expiry, limit or note of one token. */
export const edit: Command = {
  async run(context) {
    const { line, now } = context;
    const { name, scopes, expires, limit, note } = line.values;
    if ([name, scopes, expires, limit, note].every((value) => value === undefined))
      throw new CommandError(
        EXIT.usage,
        'edit needs what to change: --name, --scopes, --expires, --limit or --note.',
      );
    const parsed = scopes === undefined ? undefined : parseScopes(scopes);
    const end =
      expires === undefined || expires === 'never' ? undefined : formatMoment(parseExpiry(expires, now()));
    const change: EntryChange = {
      ...(name !== undefined && { name }),
      ...(scopes !== undefined && { scopes: parsed }),
      ...(expires !== undefined && { expiresAt: end }),
      ...(limit !== undefined && { limit: limit === 'default' ? undefined : parseLimit(limit) }),
      ...(note !== undefined && { metadata: { note } }),
    };
    await apply(context, { done: 'Edited', choose: chooseOne, change: () => change });
    await warnOfUnknownScopes(context, parsed ?? []);
  },
};

/** `disable`: makes tokens useless until they are enabled. */
export const disable = forChosen({
  done: 'Disabled',
  change: () => ({ disabled: true }),
});

/** `enable`: undoes `disable`. */
export const enable = forChosen({
  done: 'Enabled',
  change: () => ({ disabled: undefined }),
});

/** `sign-out`: makes everything void that was derived from a token by signing in. */
export const signOut = forChosen({
  // With milliseconds, unlike other moments: cut to the second, it would spare what was derived earlier in that second.
  done: 'Signed out',
  change: (_, { now }) => ({ signInsSince: new Date(now()).toISOString() }),
});

/** `revoke`: removes tokens, which makes them useless for ever. */
export const revoke = forChosen({
  done: 'Revoked',
  change: () => undefined,
});

/** `prune`: removes the entries of tokens that have expired. */
export const prune: Command = {
  async run(context) {
    const { line, now } = context;
    const limitMs = now() - parseLength('--older', line.values['older'] ?? '0');
    await apply(context, {
      done: 'Pruned',
      choose: (entries) => entries.filter(({ expiresAtMs = Infinity }) => expiresAtMs <= limitMs),
      change: () => undefined,
    });
  },
};

/** Makes a command that takes an id or `--user`, and makes the same change to each of those tokens. */
function forChosen(action: Pick<Action, 'done' | 'change'>): Command {
  return { run: async (context) => apply(context, { ...action, choose: chooseOneOrUser }) };
}

/** The token whose id was given. */
function chooseOne(entries: readonly TokenEntry[], { line }: CommandContext): readonly TokenEntry[] {
  const { command, argument } = line;
  if (argument === undefined)
    throw new CommandError(EXIT.usage, `${command} needs the id of a token; list shows them.`);
  return [findEntry(entries, argument)];
}

/** The token whose id was given, or those of the user. */
function chooseOneOrUser(entries: readonly TokenEntry[], context: CommandContext): readonly TokenEntry[] {
  const { user } = context.line.values;
  return user === undefined ? chooseOne(entries, context) : entriesOfUser(entries, user.trim());
}

/** Makes the changes in one edit of the store, and prints what was done. */
async function apply(context: CommandContext, { done, choose, change }: Action): Promise<void> {
  const { line, now, print, store, warn } = context;
  const { command, argument } = line;
  if (argument !== undefined && line.values['user'] !== undefined)
    throw new CommandError(EXIT.usage, `${command} needs either the id of a token or --user, not both.`);
  if (command !== 'prune' && argument === undefined && line.values['user'] === undefined)
    throw new CommandError(EXIT.usage, `${command} needs the id of a token; list shows them.`);
  const edited = await store
    .edit(
      ({ entries }) => {
        const chosen = choose(entries, context).map((entry) => ({ entry, change: change(entry, context) }));
        const removed = chosen.filter((one) => one.change === undefined);
        const changed = chosen.flatMap(({ entry, change: made }) =>
          made === undefined ? [] : [[entry.digest, made] as const],
        );
        const remove = new Set(removed.map(({ entry }) => entry.digest));
        return {
          edits: { remove, change: new Map(changed) },
          result: { chosen, left: entries.length - remove.size },
        };
      },
      { create: false },
    )
    .catch((error: unknown) => {
      throw withOptionNames(error);
    });
  const { chosen, left } = edited.result;
  const facts = chosen.map(({ entry, change: made }) => ({
    ...describeEntry(entry, now()),
    ...(made !== undefined && { change: made }),
  }));
  if (line.json) {
    print(printableJson({ [camelCase(done)]: facts, left }));
  } else {
    const lines = facts.map((fact) => `${done} ${fact.id} of ${printable(fact.userId)}.`);
    print(lines.length === 0 ? 'There is nothing to remove.' : lines.join('\n'));
  }
  if (chosen.length > 0) tellOutlook(context, edited);
  if (left === 0)
    warn(`${store.name} no longer holds any token: nobody gets in, and a server does not start with it.`);
}

/** Turns a violation of the file's rules into an error that names the command's options; any other error stays as it is. */
function withOptionNames(error: unknown): unknown {
  if (!(error instanceof TokenStoreError && error.cause instanceof TokenFileError)) return error;
  const { message } = error.cause;
  if (!message.startsWith('the entry field ')) return error;
  return new CommandError(EXIT.usage, `${namingOptions(message, '--')}.`, { cause: error });
}

/** `Signed out` → `signedOut`. */
function camelCase(words: string): string {
  return words.toLowerCase().replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}
