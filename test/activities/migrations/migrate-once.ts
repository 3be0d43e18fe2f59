/** A worker that is there to be killed: one attempt of applying migrations. */
import { migrateUp } from '../../../activities/migrations/migrate.ts';
import { depsFor } from './release.ts';

const { markers, ...input } = JSON.parse(process.argv[2]!);
await migrateUp(depsFor(markers), { ...input, signal: new AbortController().signal });
