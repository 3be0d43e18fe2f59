import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { allProcesses, findProcess, parsePs, parseStat } from '../../../activities/commands/process-table.ts';

describe('the table of processes', () => {
  test('has this process, with its group', async () => {
    const group = Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(process.pid)], { encoding: 'utf8' }));
    const own = await findProcess(process.pid);
    expect(own).toMatchObject({ pid: process.pid, group, zombie: false });
    expect(await allProcesses()).toContainEqual(own);
  });

  test('says null for a pid that nobody has', async () => {
    expect(await findProcess(2 ** 22 + 1)).toBeNull();
  });

  test('reads a stat line whose name is made to confuse', () => {
    const line = '42 (x) S 1) Z 1 7 7 0 -1 4194304 93 0 0 0 0 0 0 0 20 0 1 0 152574 2654208';
    expect(parseStat(line)).toEqual({ pid: 42, group: 7, started: '152574', zombie: true });
    expect(parseStat('')).toBeNull();
  });

  test('counts a process as alive while any of its threads is', () => {
    const line = '42 (node) Z 1 7 7 0 -1 4194304 93 0 0 0 0 0 0 0 20 0 3 0 152574 2654208';
    expect(parseStat(line)?.zombie).toBe(false);
  });

  test('reads what ps prints where there is no /proc', () => {
    const line = '  3166  3160 Ss   Sat Nov 21 09:29:45 2026    ';
    expect(parsePs(line)).toEqual({ pid: 3166, group: 3160, started: 'Sat Nov 21 09:29:45 2026', zombie: false });
    expect(parsePs(' 3166  3160 Z+ Sat Nov 21 09:29:45 2026')?.zombie).toBe(true);
    expect(parsePs('')).toBeNull();
  });
});
