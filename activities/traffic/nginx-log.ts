import { type LogFormat, numbered, parseLine } from './access-log.ts';

/** `{"ts":1795253556.361,"slot":"blue","status":200,"seconds":0.005}`, as the `log_format` that Holdpoint shows to paste says. */
export const nginxLog: LogFormat = {
  time(line) {
    const seconds = /^\{"ts":(\d+\.\d+),/.exec(line)?.[1];
    return seconds === undefined ? null : Math.round(Number(seconds) * 1_000);
  },
  read(line) {
    const { slot, status, seconds } = parseLine(line) ?? {};
    if (typeof slot !== 'string' || typeof status !== 'number' || typeof seconds !== 'number') return null;
    return { slot, status, ms: seconds * 1_000 };
  },
  rolled: numbered,
};
