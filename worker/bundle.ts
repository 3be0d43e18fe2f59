/** Part of the build: writes the workflows' bundle beside the compiled files. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from './workflow-bundle.ts';

await writeFile(fileURLToPath(new URL('../workflow-bundle.js', import.meta.url)), await bundleWorkflows());
