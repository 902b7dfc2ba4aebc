/**
 * `npm start`: installs and builds what is missing, then becomes the server, so that signals reach it directly. An argument
 * names another compiled program in `dist/` to become.
 */

import { prepareOrExit } from './prepare.mjs';

prepareOrExit();
const [, , program = 'src/main.js'] = process.argv;
await import(new URL(`../dist/${program}`, import.meta.url).href);
