import type Docker from 'dockerode';

/** What a container was started with, as far as the service in it can tell; not who started it, nor when. */
export function settingsOf({ Image, Config, HostConfig, Mounts, NetworkSettings }: Docker.ContainerInspectInfo) {
  return {
    image: Image,
    environment: [...Config.Env].sort(),
    command: [Config.Entrypoint, Config.Cmd],
    healthcheck: Config.Healthcheck,
    mounts: Mounts.map(({ Type, Name, Destination, RW }) => ({ Type, Name, Destination, RW })),
    ports: HostConfig.PortBindings,
    restart: HostConfig.RestartPolicy,
    networks: Object.keys(NetworkSettings.Networks),
  };
}
