/** Why an instance did not start, in words. */
import type { ApplicationFailure } from '@temporalio/activity';
import type { ContainerInspectInfo } from 'dockerode';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';
import { howItEnded } from './ended.ts';
import type { Engine } from './engine.ts';
import { answerOf, failureOf, isNoSuchCommand } from './failures.ts';
import { label } from './labels.ts';
import { tailOf } from './logs.ts';
import { releaseOf } from './running-release.ts';

interface Attempt {
  engine: Engine;
  slot: Slot;
  spec: InstanceSpec;
}

const tailLines = 20;

const cannot = ({ spec, slot }: Attempt) => `${spec.service} ${spec.release.version} cannot start in ${slot}`;

export function slotTaken(attempt: Attempt, info: ContainerInspectInfo): ApplicationFailure {
  return refuse(
    'SlotTaken',
    `${cannot(attempt)} on port ${attempt.spec.port}: ${releaseOf(info, null)} runs there as container ` +
      `${info.Name.slice(1)}. Stop that one first.`,
  );
}

export function nameTaken(attempt: Attempt, { Name, Config }: ContainerInspectInfo): ApplicationFailure {
  const folder = Config.Labels?.[label.folder];
  return refuse(
    'NameTaken',
    `${cannot(attempt)}: a container is called ${Name.slice(1)} already, ` +
      `${folder ? `of the environment with the folder ${folder}` : 'and Holdpoint did not make it'}. ` +
      'Rename or remove it, or give the slot another name.',
  );
}

export function imageMissing(attempt: Attempt): ApplicationFailure {
  return refuse(
    'ImageMissing',
    `${cannot(attempt)}: Docker at ${attempt.engine.url} has no image ${attempt.spec.release.image ?? 'for it'}. ` +
      'It was removed since it was fetched; deploy anew.',
  );
}

/** What the engine's error to a start means: `PortTaken`, `NoSuchCommand`, or the engine's own. */
export async function startFailure(attempt: Attempt, error: unknown): Promise<ApplicationFailure> {
  const { engine, slot, spec } = attempt;
  const answer = answerOf(error);
  if (answer && /port is already allocated|address already in use/.test(answer.message)) {
    const who = await publisher(engine, spec.port);
    const next = `Stop it, or give ${slot} another port.`;
    return refuse('PortTaken', `${cannot(attempt)}: port ${spec.port} is taken by ${who}. ${next}`);
  }
  if (isNoSuchCommand(answer)) return refuse('NoSuchCommand', `${cannot(attempt)}: ${answer!.message}`);
  return failureOf(error, `start ${spec.service} ${spec.release.version} in ${slot}`, engine.url);
}

async function publisher(engine: Engine, port: number): Promise<string> {
  const running = await engine.ask('list containers', (docker) => docker.listContainers());
  const found = running.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port));
  return found ? `container ${found.Names[0]?.slice(1)}` : 'a process that Docker did not start';
}

export async function exited({ engine, slot, spec }: Attempt, info: ContainerInspectInfo): Promise<ApplicationFailure> {
  const printed = await tailOf(engine, info, tailLines);
  const what = `${spec.service} ${spec.release.version} ended at once in ${slot}, ${howItEnded(info)}`;
  const message = printed ? `${what}. The last it printed:\n${printed}` : `${what}, and printed nothing.`;
  return refuse('InstanceExited', message);
}
