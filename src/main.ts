/** The HTTP entry: serves this server's tools and features. */
import { features } from './features/index.ts';
import { runServer } from './server/run-server.ts';
import { tools } from './tools/index.ts';

await runServer({ tools, features }, process.env);
