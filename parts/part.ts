/** The real programs that the demo and the tests run: what they are called, and what finding one gives. */

export type PartName =
  | 'temporal'
  | 'caddy'
  | 'postgres'
  | 'dbmate'
  | 'chromium'
  | 'nginx'
  | 'haproxy'
  | 'traefik'
  | 'prometheus'
  | 'docker'
  | 'compose'
  | 'registry'
  | 'mmdebstrap'
  | 'sshd';

export interface Part {
  /** Absolute path of the executable (for docker `dockerd`); for postgres the folder that holds initdb, postgres, psql, pg_dump, pg_restore. */
  path: string;
  /** For example `1.9.1`. */
  version: string;
  from: 'environment' | 'path' | 'cache' | 'downloaded';
}

/** One line of text for people, for example `caddy 2.11.7: downloading (17 MB)`. */
export type OnProgress = (text: string) => void;

/** No usable program was found. The message lists what was tried and the commands that install it. */
export class PartNotFound extends Error {
  override name = 'PartNotFound';
  readonly part: PartName;

  constructor(part: PartName, tried: string[], install: string[]) {
    const lines = [
      `Cannot find ${part}.`,
      'Tried:',
      ...tried.map((line) => `  - ${line}`),
      'Any of these helps:',
      ...install.map((line) => `  ${line}`),
    ];
    super(lines.join('\n'));
    this.part = part;
  }
}
