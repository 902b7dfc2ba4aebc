/** The HTTP entry. */
import { definition } from './definition.ts';
import { runServer } from './server/run-server.ts';

await runServer(definition, process.env);
