import { refuse } from '../failures.ts';
import { alembic } from './alembic.ts';
import { command } from './command.ts';
import { dbmate } from './dbmate.ts';
import type { MigrationsTool } from './tool.ts';

const tools: Record<string, MigrationsTool> = { alembic, command, dbmate };

/**
 * The migration tool of this kind.
 * @throws `UnknownProduct` with the kinds there are
 */
export function findMigrationsTool(kind: string): MigrationsTool {
  const tool = Object.hasOwn(tools, kind) ? tools[kind] : undefined;
  if (tool) return tool;
  throw refuse('UnknownProduct', `The migration tool ${kind} is not known; there is ${Object.keys(tools).join(', ')}.`);
}
