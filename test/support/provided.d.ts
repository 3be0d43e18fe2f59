import 'vitest';

declare module 'vitest' {
  /** What test/support/global-setup.ts hands to every test file: `inject('temporalAddress')`. */
  export interface ProvidedContext {
    /** Of the one dev server that all test files share, namespace `default`. */
    temporalAddress: string;
    /** Database `postgres` of the one cluster that all test files share, as its superuser. */
    postgresUrl: string;
    /** Folder of pg_dump and the like, of the cluster's own version. */
    postgresBin: string;
    /** Address of the Docker engine that all test files share, as `DOCKER_HOST` holds it. */
    dockerHost: string;
    /** Path of Compose v2, run as `docker-compose`. */
    composeBin: string;
    /** Reference of the image that test/support/images.ts builds releases upon. */
    baseImage: string;
    /** Path of the workflows' bundle, made once from the sources. */
    workflowBundle: string;
  }
}
