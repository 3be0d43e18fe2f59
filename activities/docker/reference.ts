/** Names of images, such as `registry.example.com:5000/team/shop:2` or `shop@sha256:…`. */

export interface Reference {
  /** As it is written, without tag and digest; `docker.io/` and `library/` left out, as the engine shows it. */
  repository: string;
  tag: string | null;
  digest: string | null;
}

export function parseReference(text: string): Reference {
  const [name = '', digest = null] = text.split('@');
  // A colon before the last slash belongs to the registry's port.
  const at = name.indexOf(':', name.lastIndexOf('/') + 1);
  const tag = at < 0 ? null : name.slice(at + 1);
  return { repository: familiar(at < 0 ? name : name.slice(0, at)), tag, digest };
}

export function familiar(repository: string): string {
  return repository.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}

/** Host of the registry, with its port; Docker Hub where the name has none. */
export function registryOf(repository: string): string {
  const [first = '', ...rest] = repository.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return isHost ? first : 'docker.io';
}

/** No registry has images of such a name but Docker's own: it was built where it runs. */
export function isLocalName(repository: string): boolean {
  return !familiar(repository).includes('/');
}
