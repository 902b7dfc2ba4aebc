/** `npm run conformance:server`: this server, offering what the official conformance suite expects one to offer. */
import { runServer } from '../../../src/server/run-server.ts';
import { createConformanceFeatures } from './features.ts';
import { conformanceTools } from './tools.ts';

void runServer({ tools: conformanceTools, features: createConformanceFeatures() }, process.env);
