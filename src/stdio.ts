/** The stdio entry: the same definition for a local host; stdout belongs to the protocol. */
import { definition } from './definition.ts';
import { runStdio } from './server/run-stdio.ts';

void runStdio(definition, process.env);
