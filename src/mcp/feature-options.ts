/** The server options that features ask for, as those of one server. */
import { mergeCapabilities, type ServerCapabilities, type ServerOptions } from '@modelcontextprotocol/server';
import type { Feature } from './feature.ts';

/** What a server is made with. */
export interface MergedOptions {
  readonly options: ServerOptions;
  /** To be registered once the server is there: given in its options, they would have the SDK set its list handlers unseen. */
  readonly lateCapabilities: ServerCapabilities;
}

/** The options of several features as one: capabilities are joined with those of what is declared, of other options the last one wins. */
export function mergeOptions(features: readonly Feature[], declared: ServerCapabilities): MergedOptions {
  const merged: ServerOptions = {};
  let capabilities = declared;
  for (const { options = {} } of features) {
    capabilities = mergeCapabilities(capabilities, options.capabilities ?? {});
    Object.assign(merged, options);
  }
  // The SDK declares `tools` itself with the first tool.
  const { tools: _tools, prompts, resources, ...early } = capabilities;
  return {
    options: { ...merged, capabilities: early },
    lateCapabilities: { ...(prompts && { prompts }), ...(resources && { resources }) },
  };
}

/** Methods whose results a client may keep. */
type CacheableMethod = keyof NonNullable<ServerOptions['cacheHints']>;

/** The same options, with these results for their user alone: what one may see, another one's cache must not show. */
export function keepPrivate(options: ServerOptions, methods: readonly CacheableMethod[]): ServerOptions {
  const { cacheHints } = options;
  if (cacheHints === undefined) return options;
  const kept = { ...cacheHints };
  for (const method of methods) {
    const hint = kept[method];
    if (hint !== undefined) kept[method] = { ...hint, cacheScope: 'private' };
  }
  return { ...options, cacheHints: kept };
}
