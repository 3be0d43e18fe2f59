import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** What the figures were measured on. */
export interface Machine {
  cores: number;
  processor: string;
  memoryGb: number;
  system: string;
  node: string;
  /** As `temporal --version` says it: the program, its server, its UI. */
  temporal: string;
}

export function describeMachine(temporalBin: string): Machine {
  const [first] = cpus();
  return {
    cores: cpus().length,
    processor: first?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${process.arch}`,
    node: process.versions.node,
    temporal: execFileSync(temporalBin, ['--version'], { encoding: 'utf8', timeout: 10_000 }).trim(),
  };
}

export function inWords({ cores, processor, memoryGb, system, node, temporal }: Machine): string {
  return `${cores} cores (${processor}), ${memoryGb} GB, ${system}, Node ${node}, ${temporal}`;
}
