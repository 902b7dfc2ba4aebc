/** The prompts and resources of a definition: found by name, listed for a user, prepared once. */
import type { ServerOptions } from '@modelcontextprotocol/server';
import { maySee, type UserContext } from '../auth/user.ts';
import type { Feature } from './feature.ts';
import type { Prompt } from './prompt.ts';
import type { Resource } from './resource.ts';

/** The prompts and resources that features declare, without those that they register themselves. */
export interface Catalogue {
  readonly prompts: ReadonlyMap<string, Prompt>;
  /** By URI or URI template. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Whether some resources are only known when they are listed, by a template's `list`. */
  readonly listsResources: boolean;
}

/**
 * Collects what features declare.
 * @throws {Error} when two prompts have the same name, or two resources the same URI
 */
export function createCatalogue(features: readonly Feature[]): Catalogue {
  const prompts = features.flatMap(({ prompts: own = [] }) => own);
  const resources = features.flatMap(({ resources: own = [] }) => own);
  return {
    prompts: byKey(prompts, 'prompts are named', ({ name }) => name),
    resources: byKey(resources, 'resources have the URI', ({ uri }) => uri),
    listsResources: resources.some(({ list }) => list !== undefined),
  };
}

/** The capabilities that a catalogue needs. */
export function capabilitiesOf({
  prompts,
  resources,
}: Catalogue): NonNullable<ServerOptions['capabilities']> {
  return {
    ...(prompts.size > 0 && { prompts: { listChanged: true } }),
    ...(resources.size > 0 && { resources: { listChanged: true } }),
    ...(prompts.size + resources.size > 0 && { completions: {} }),
  };
}

/** The methods of a catalogue whose results differ from user to user. */
export function privateListsOf({ prompts, resources, listsResources }: Catalogue) {
  const isScoped = [...resources.values()].some(({ scope }) => scope !== undefined);
  return [
    ...([...prompts.values()].some(({ scope }) => scope !== undefined) ? (['prompts/list'] as const) : []),
    ...(isScoped || listsResources ? (['resources/list'] as const) : []),
    ...(isScoped ? (['resources/templates/list'] as const) : []),
    // For what is read, each resource says itself whether its cache is shared.
    ...(resources.size > 0 ? (['resources/read'] as const) : []),
  ];
}

/** The prompts that a user may use, as lists show them. */
export function listPrompts({ prompts }: Catalogue, user: UserContext): Prompt['listed'][] {
  return allowed(prompts, user).map(({ listed }) => listed);
}

/** The resources with a fixed URI that a user may read, as lists show them. */
export function listFixedResources({ resources }: Catalogue, user: UserContext) {
  return allowed(resources, user).flatMap(({ listed }) => ('resource' in listed ? [listed.resource] : []));
}

/** The templates that a user may read, as lists show them. */
export function listTemplates({ resources }: Catalogue, user: UserContext) {
  return allowed(resources, user).flatMap(({ listed }) => ('template' in listed ? [listed.template] : []));
}

/** The entries that a user may see. */
export function allowed<Entry extends { readonly scope: string | undefined }>(
  entries: ReadonlyMap<string, Entry>,
  user: UserContext,
): Entry[] {
  return [...entries.values()].filter(({ scope }) => maySee(user, scope));
}

/**
 * Indexes entries by a key that must be unique. `words` say of entries what their key is.
 * @throws {Error} when two entries have the same key
 */
export function byKey<Entry>(
  entries: readonly Entry[],
  words: string,
  keyOf: (entry: Entry) => string,
): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  for (const entry of entries) {
    const key = keyOf(entry);
    if (found.has(key)) throw new Error(`Two ${words} ${key}. Each needs its own, and is listed once.`);
    found.set(key, entry);
  }
  return found;
}
