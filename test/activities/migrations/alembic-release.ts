import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MigrationTool } from '../../../workflows/runbook/actions.ts';

/** A release of a service that brings Alembic in its `.venv`. */
export interface AlembicRelease {
  folder: string;
  /** Markers of the target. */
  markers: string;
  tool: MigrationTool;
  /** A revision after `parents`. `down`: the body of its `downgrade`, null for none at all. */
  revision(id: string, parents: string[], up: string, down: string | null): Promise<void>;
  write(path: string, content: string): Promise<void>;
  remove(): Promise<void>;
}

export const envPy = `import os
from alembic import context
from sqlalchemy import create_engine, make_url, pool

print("what env.py prints is no answer")
url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg")
with create_engine(url, poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

export async function makeAlembicRelease(venv: string): Promise<AlembicRelease> {
  const root = await mkdtemp(join(tmpdir(), 'holdpoint-release-'));
  const folder = join(root, 'release');
  const write = (path: string, content: string) => writeFile(join(folder, path), content);
  await mkdir(join(folder, 'migrations/versions'), { recursive: true });
  await symlink(venv, join(folder, '.venv'));
  await write('alembic.ini', '[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n');
  await write('migrations/env.py', envPy);
  return {
    folder,
    markers: join(root, 'markers'),
    tool: { kind: 'alembic', release: { version: '1', folder }, database: 'DATABASE_URL', secrets: [], commands: {} },
    write,
    async revision(id, parents, up, down) {
      const before = parents.length === 0 ? 'None' : `(${parents.map((parent) => `"${parent}",`).join(' ')})`;
      const wayDown = down === null ? '' : `\n\ndef downgrade():\n    ${down}\n`;
      const text = `"""A revision -> with, (head) in its words."""\nfrom alembic import op\n\nrevision = "${id}"\ndown_revision = ${before}\n`;
      await write(`migrations/versions/${id}.py`, `${text}\n\ndef upgrade():\n    ${up}\n${wayDown}`);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
