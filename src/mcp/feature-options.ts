/** The server options that features ask for, as those of one server. */
import { mergeCapabilities, type ServerCapabilities, type ServerOptions } from '@modelcontextprotocol/server';
import type { Feature } from './feature.ts';

/** The options of several features as one: capabilities are joined, of other options the last one wins. */
export function mergeOptions(features: readonly Feature[]): ServerOptions {
  const merged: ServerOptions = {};
  let capabilities: ServerCapabilities = {};
  for (const { options = {} } of features) {
    capabilities = mergeCapabilities(capabilities, options.capabilities ?? {});
    Object.assign(merged, options);
  }
  // The SDK declares `tools` itself with the first tool; declared here, it would set its list handler unfiltered.
  delete capabilities.tools;
  return { ...merged, capabilities };
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
