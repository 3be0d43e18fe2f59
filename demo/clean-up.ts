/** What has to be ended before the demo ends, newest first. Everything that is started is put here at once. */
export class CleanUp {
  closed = false;
  private readonly tasks: (() => Promise<void>)[] = [];

  /** `stop` gets what `start` gave, also when that is only ready later; nothing where it failed. */
  async own<T>(start: Promise<T>, stop: (started: T) => Promise<void>): Promise<T> {
    this.add(async () => {
      const started = await start.then(
        (value) => ({ value }),
        () => null,
      );
      if (started) await stop(started.value);
    });
    return start;
  }

  add(task: () => Promise<void>): void {
    this.demandOpen();
    this.tasks.push(task);
  }

  /** Throws once the end has begun: nothing may be started any more. */
  demandOpen(): void {
    if (this.closed) throw new Error('the demo is ending');
  }

  /** Goes on where a task fails; returns what went wrong. May run twice: the second finds nothing to do. */
  async run(): Promise<string[]> {
    this.closed = true;
    const wrong: string[] = [];
    for (let task = this.tasks.pop(); task; task = this.tasks.pop()) {
      await task().catch((error: Error) => wrong.push(error.message));
    }
    return wrong;
  }
}
