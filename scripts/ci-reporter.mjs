import { writeFileSync } from 'node:fs';

const shortly = (errors) => errors.map((error) => `${error.stack ?? error.message ?? error}`.slice(0, 2000)).join('\n');
const nameOf = (one) =>
  one.type === 'module' ? one.relativeModuleId : `${one.module.relativeModuleId} > ${one.fullName}`;

/**
 * A reporter for vitest: what went wrong in a few lines, to be printed last. Failed tests, files and groups that failed
 * around them (they could not be read, or a hook failed), errors that no test awaited, and what passed at its second
 * try. Written to the file in `CI_REPORT`; its last line is the count, in which each of the former three is a failure.
 */
export default class CiReporter {
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const failed = tests.filter((test) => test.result().state === 'failed');
    const groups = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const broken = groups.filter((group) => group.errors().length > 0);
    const lines = [
      ...tests
        .filter((test) => test.diagnostic()?.flaky)
        .map(
          (test) => `passed at its second try: ${nameOf(test)}\n${shortly(test.result().errors ?? []).slice(0, 500)}`,
        ),
      ...broken.map((group) => `failed around its tests: ${nameOf(group)}\n${shortly(group.errors())}`),
      ...failed.map((test) => `failed: ${nameOf(test)}\n${shortly(test.result().errors)}`),
      ...unhandled.map((error) => `not awaited by any test: ${error.VITEST_TEST_NAME ?? ''}\n${shortly([error])}`),
      `${tests.filter((test) => test.result().state === 'passed').length} passed, ${failed.length + broken.length + unhandled.length} failed`,
    ];
    writeFileSync(process.env.CI_REPORT, `${lines.join('\n')}\n`);
  }
}
