/** The HTTP entry. */
import { definition } from './definition.ts';
import { runServer } from './server/run-server.ts';

void runServer(definition, process.env);
