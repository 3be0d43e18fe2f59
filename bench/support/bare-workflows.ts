/** The least that Temporal itself needs for the same work: what Holdpoint's workflow is compared with. */
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

const { work } = proxyActivities<{ work(): Promise<object> }>({ startToCloseTimeout: '1m', heartbeatTimeout: '5s' });

/** `count` activities, one after another. */
export async function inSequence(count: number): Promise<void> {
  for (let step = 0; step < count; step += 1) await work();
}

/** An activity, then a person, then an activity, then a person again. */
export async function askTwice(): Promise<void> {
  let answers = 0;
  setHandler(defineSignal('answer'), () => {
    answers += 1;
  });
  await work();
  await condition(() => answers === 1);
  await work();
  await condition(() => answers === 2);
}
