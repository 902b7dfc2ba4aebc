/** Merges the server options of all features into those of one server. */
import { mergeCapabilities, type ServerCapabilities, type ServerOptions } from '@modelcontextprotocol/server';
import type { Feature } from './feature.ts';

/** The options that a server is made with. */
export interface MergedOptions {
  readonly options: ServerOptions;
  /**
   * Capabilities to register after the server is made: given in its options, they would make the SDK set its list handlers before those can
   * be captured.
   */
  readonly lateCapabilities: ServerCapabilities;
}

/** Merges the options of several features: capabilities are combined with those of what is declared; of any other option the last one wins. */
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

/** The methods whose results a client may cache. */
type CacheableMethod = keyof NonNullable<ServerOptions['cacheHints']>;

/** Makes the caches of these methods' results private: a shared one would show one user's results to another. */
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
