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
    /** Path of the workflows' bundle, made once from the sources. */
    workflowBundle: string;
  }
}
