/** Compose v2's command, as a function from words to text. */
import { posix } from 'node:path';
import type { CommandResult, HostPort } from '../../workflows/ports.ts';
import type { Engine } from '../docker/engine.ts';
import { notYet, refuse } from '../failures.ts';
import type { Project } from './options.ts';

export interface ComposeCli {
  /**
   * Runs `compose <words>` on a project to its end, and gives what it printed. `env` is the command's environment, from
   * which `${NAME}` in files is filled, before `.env`. Throws `NoCompose`, `OldCompose`, and `ComposeFailed` (worth
   * another try) with the end of what it said.
   */
  run(project: Project, words: string[], env?: Record<string, string>): Promise<string>;
}

interface Deps {
  host: HostPort;
  engine: Pick<Engine, 'url' | 'tls'>;
  /** How it is called; absent: looked for. */
  command?: string[] | undefined;
}

const install =
  'Install Compose v2: apt-get install docker-compose-plugin, or https://docs.docker.com/compose/install/';

/** Runs nothing yet. Looks once for the command, at its first use. */
export function createComposeCli({ host, engine, command }: Deps): ComposeCli {
  let found: Promise<string[]> | null = null;
  const engineEnv = {
    DOCKER_HOST: engine.url,
    ...(engine.tls === null ? {} : { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: engine.tls }),
  };
  return {
    async run(project, words, env = {}) {
      found ??= findCommand(host, command);
      // One that was missing may be installed by the next try.
      const compose = await found.catch((error) => {
        found = null;
        throw error;
      });
      const result = await host.exec([...compose, '--ansi', 'never', ...projectWords(project), ...words], {
        cwd: project.folder,
        env: { ...env, ...engineEnv },
      });
      if (result.exitCode === 0) return result.stdout;
      throw notYet('ComposeFailed', `compose ${words.join(' ')} in ${project.folder} failed: ${lastWords(result)}`);
    },
  };
}

function projectWords({ name, folder, files, envFile }: Project): string[] {
  return [
    ...(name === null ? [] : ['-p', name]),
    ...['--project-directory', folder],
    ...files.flatMap((file) => ['-f', posix.resolve(folder, file)]),
    ...(envFile === undefined ? [] : ['--env-file', envFile]),
  ];
}

const usual = [['docker', 'compose'], ['docker-compose']];

async function findCommand(host: HostPort, given: string[] | undefined): Promise<string[]> {
  const old: string[] = [];
  for (const command of given ? [given] : usual) {
    const version = await versionOf(host, command);
    if (version === null) continue;
    if (Number.parseInt(version, 10) >= 2) return command;
    old.push(`${command.join(' ')} is version ${version}`);
  }
  if (old.length > 0) {
    throw refuse('OldCompose', `${old.join(', ')}, which cannot print its configuration as JSON. ${install}`);
  }
  const tried = (given ? [given] : usual).map((words) => `\`${words.join(' ')}\``).join(' or ');
  throw refuse(
    'NoCompose',
    `Neither Compose nor its version is to be had by ${tried} on the target's machine. ${install}`,
  );
}

/** null where the command is missing, or is something else. */
async function versionOf(host: HostPort, command: string[]): Promise<string | null> {
  const result = await host.exec([...command, 'version', '--short'], {}).catch(() => null);
  return /^v?(\d+\.\d+\S*)$/m.exec(result?.exitCode === 0 ? result.stdout.trim() : '')?.[1] ?? null;
}

function lastWords({ stdout, stderr, exitCode, signal }: CommandResult): string {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  return said || (signal ? `it was ended by ${signal}` : `exit code ${exitCode}`);
}
