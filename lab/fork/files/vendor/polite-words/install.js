/** Stands for what a package builds for itself: it leaves a file beside itself. */
import { writeFileSync } from 'node:fs';

writeFileSync(new URL('installed.txt', import.meta.url), 'installed\n');
