/** Values as compose files write them. Pure. */

export interface Published {
  /** At the machine. */
  port: number;
  /** Inside the container. */
  target: number;
  /** Reachable from other machines. */
  open: boolean;
}

/** `${NAME}`, `${NAME:-default}`, `$NAME`: https://docs.docker.com/reference/compose-file/interpolation/ */
export function fillIn(written: string, env: Record<string, string>): string {
  return written.replace(
    /\$\{(\w+)(?::?[-?+]([^}]*))?\}|\$(\w+)/g,
    (_all, braced: string | undefined, otherwise: string | undefined, bare: string | undefined) =>
      env[(braced ?? bare)!] ?? otherwise ?? '',
  );
}

/** null where Docker chooses the port at the machine, and for a range of ports: then it is no slot's. */
export function publishedPort(
  written: string | { published?: string | undefined; target: string; host_ip?: string | undefined },
  env: Record<string, string>,
): Published | null {
  const short = typeof written === 'string' ? fillIn(written, env) : null;
  const match = short === null ? null : /^(?:(.*):)?(\d+):(\d+)(?:\/tcp)?$/.exec(short);
  if (typeof written === 'string' && !match) return null;
  const [address, published, target] =
    typeof written === 'string' ? match!.slice(1) : [written.host_ip, written.published, written.target];
  const port = Number(fillIn(published ?? '', env));
  if (!(port > 0)) return null;
  return { port, target: Number(fillIn(target ?? '', env)), open: !/^(127\.|\[?::1|localhost)/.test(address ?? '') };
}

/** Of `registry.example.com:5000/team/shop:2` all but the tag. */
export function repositoryOf(image: string): string {
  const name = image.split('@')[0]!;
  const at = name.indexOf(':', name.lastIndexOf('/') + 1);
  return at < 0 ? name : name.slice(0, at);
}

/** The first from `from` on that nobody has. */
export function freeFrom(from: number, taken: readonly number[]): number {
  let port = from;
  while (taken.includes(port)) port += 1;
  return port;
}
