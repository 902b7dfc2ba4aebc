/**
 * `npm start`: installs and builds what is missing, then becomes the server, so that signals reach it directly. Its one argument
 * is the name of another server to become.
 */

import { helpOrRefuse } from './help.mjs';
import { prepareOrExit } from './prepare.mjs';

const USAGE = `npm start: installs and builds when that is needed, then serves on http://127.0.0.1:8000 until Ctrl-C.
Settings are environment variables, or lines of a file .env; .env.example lists them.

npm run conformance:server: the same with the server of the official conformance suite.
`;

const CONFORMANCE_SERVER = 'conformance-server';
const [, , ...args] = process.argv;
const isConformance = args[0] === CONFORMANCE_SERVER;
helpOrRefuse(isConformance ? args.slice(1) : args, USAGE);
await prepareOrExit();
const program = isConformance ? 'lab/conformance/server/server.js' : 'src/main.js';
await import(new URL(`../dist/${program}`, import.meta.url).href);
