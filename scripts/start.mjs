/**
 * `npm start`: installs and builds what is missing, then becomes the server, so that signals reach it directly. Its only argument
 * names another server to become.
 */

import { helpOrRefuse } from './help.mjs';
import { prepareOrExit } from './prepare.mjs';

const USAGE = `npm start: installs and builds when that is needed, then serves on http://127.0.0.1:8000 until Ctrl-C.
Settings are environment variables, or lines of a file .env; .env.example lists them.

npm run conformance:server: the same with the server of the official conformance suite.
npm run example: the same with the worked application, examples/progress.
`;

/**
 * The other servers, by their argument.
 *
 * @type {Readonly<Record<string, string>>}
 */
const OTHERS = {
  'conformance-server': 'lab/conformance/server/server.js',
  example: 'examples/progress/main.js',
};
const [, , ...args] = process.argv;
const other = OTHERS[args[0] ?? ''];
helpOrRefuse(other === undefined ? args : args.slice(1), USAGE);
await prepareOrExit();
await import(new URL(`../dist/${other ?? 'src/main.js'}`, import.meta.url).href);
