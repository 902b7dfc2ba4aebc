/** `npm run conformance:server`: starts this server with the tools and features that the official conformance suite expects. */
import { runServer } from '../../../src/server/run-server.ts';
import { createConformanceFeatures } from './features.ts';
import { conformanceTools } from './tools.ts';

void runServer({ tools: conformanceTools, features: createConformanceFeatures() }, process.env);
