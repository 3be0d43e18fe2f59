import { readFileSync } from 'node:fs';

export interface User {
  uid: number;
  gid: number;
}

/**
 * Who PostgreSQL has to run as: nothing for an ordinary user (as oneself), and for root, whom PostgreSQL
 * refuses, the user `postgres` or else `nobody`.
 */
export function postgresUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return lookUp('postgres') ?? lookUp('nobody') ?? { uid: 65534, gid: 65534 };
}

function lookUp(name: string): User | undefined {
  const fields = passwd()
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : undefined;
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return '';
  }
}
