import { flowWord } from './yaml.ts';

/** The front door on this machine, as environments.yaml and the Caddyfile both have it. */
export interface LocalDoor {
  front: string;
  admin: string;
  /** Absolute. */
  log: string;
  folder: string;
  ports: { blue: number; green: number };
}

/** The same places that Holdpoint takes without an environments file. Pure. */
export function localDoor(stateFolder: string, service: string): LocalDoor {
  const folder = `${stateFolder}/local/${service}/traffic`;
  return {
    front: 'http://127.0.0.1:8080',
    admin: 'http://127.0.0.1:2019',
    log: `${folder}/access.log`,
    folder,
    ports: { blue: 4001, green: 4002 },
  };
}

/** A commented environments.yaml with this machine as `local`. Pure. */
export function environmentsText(door: LocalDoor): string {
  return `# What may happen where. Lives with the worker, and is read by it alone: holdpoint worker --environments <this file>
environments:
  # holdpoint deploy -e local, the default
  local:
    targets:
      # The group that the runbook's \`rollout.on\` names.
      web:
        host: local
        instances: process
        # The new version starts on the port that the old one does not have.
        ports: { blue: ${door.ports.blue}, green: ${door.ports.green} }
        # The proxy in front; its configuration is the Caddyfile beside this file. Without one only \`recreate\` works.
        traffic:
          caddy:
            front: ${door.front}
            admin: ${door.admin}
            log: ${flowWord(door.log)}
            folder: ${flowWord(door.folder)}
    # The first that has a secret wins.
    secrets: [environment, { dotenv: .env }]
    # Groups that a runbook's holds may name, as in: hold: { ask: Apply these migrations?, by: dba }
    # approvers:
    #   dba: [ann, bob]
`;
}
