/** `npm run example`: the example over HTTP. */
import { runServer } from '../../src/server/run-server.ts';
import { definition } from './definition.ts';

void runServer(definition, process.env);
