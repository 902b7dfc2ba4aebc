/** The HTTP entry: serves this server's tools and features. */
import { features } from './features.ts';
import { runServer } from './run-server.ts';
import { tools } from './tools/index.ts';

await runServer({ tools, features }, process.env);
