/** How jest takes the types out of a test and of what it imports: file by file with esbuild, which is a tenth of what the compiler takes. */

import { createHash } from 'node:crypto';
import { transform, version } from 'esbuild';

/** What Node 20 understands stays as it is written, imports of values that nothing uses included. @type {import('esbuild').TransformOptions} */
const OPTIONS = {
  loader: 'ts',
  format: 'esm',
  target: 'es2023',
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  sourcemap: 'external',
  sourcesContent: false,
};

export default {
  /**
   * What the result depends on besides jest's own version.
   *
   * @param {string} source
   * @param {string} file
   */
  getCacheKey(source, file) {
    return createHash('sha1')
      .update(JSON.stringify([version, OPTIONS, file, source]))
      .digest('hex');
  },

  /**
   * JavaScript, and the map that leads from its lines to those of the source.
   *
   * @param {string} source
   * @param {string} file
   */
  async processAsync(source, file) {
    const { code, map } = await transform(source, { ...OPTIONS, sourcefile: file });
    return { code, map };
  },
};
