/** `npm start`: installs and builds what is missing, then becomes the server, so that signals reach it directly. */

import { prepareOrExit } from './prepare.mjs';

prepareOrExit();
await import(new URL('../dist/src/main.js', import.meta.url).href);
