import { writeFileSync } from 'node:fs';

const shortly = (errors) => errors.map((error) => `${error.stack ?? error.message ?? error}`.slice(0, 2000)).join('\n');

/**
 * A reporter for vitest: what went wrong in a few lines, to be printed last. Failed tests, files that could not be run
 * errors that no test awaited (vitest fails for them although every test has passed), and
 * what passed at its second try. Written to the file in `CI_REPORT`; its last line is the count.
 */
export default class CiReporter {
  onTestRunEnd(modules, unhandled) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const failed = tests.filter((test) => test.result().state === 'failed');
    const unread = modules.filter((module) => module.errors().length > 0);
    const lines = [
      ...tests
        .filter((test) => test.diagnostic()?.flaky)
        .map((test) => `passed at its second try: ${test.module.relativeModuleId} > ${test.fullName}`),
      ...unread.map((module) => `could not be run: ${module.relativeModuleId}\n${shortly(module.errors())}`),
      ...failed.map(
        (test) => `failed: ${test.module.relativeModuleId} > ${test.fullName}\n${shortly(test.result().errors)}`,
      ),
      ...unhandled.map((error) => `not awaited by any test: ${error.VITEST_TEST_NAME ?? ''}\n${shortly([error])}`),
      `${tests.filter((test) => test.result().state === 'passed').length} passed, ${failed.length + unread.length + unhandled.length} failed`,
    ];
    writeFileSync(process.env.CI_REPORT, `${lines.join('\n')}\n`);
  }
}
