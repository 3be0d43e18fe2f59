import type { Receipt } from '../../workflows/runbook/checks.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { oneLine } from './text.ts';
import { took } from './time.ts';

/** `in 5m 10s: 812 requests served by 1, 406 by 2, none failed; probed 620 times: none failed, none lost, …` */
export function describeReceipt({ since, until, served, probed }: Receipt): string {
  const versions = Object.entries(served).map(
    ([version, { requests }], index) => `${requests}${index === 0 ? ' requests served' : ''} by ${oneLine(version)}`,
  );
  const failed = Object.values(served).reduce((sum, { errors }) => sum + errors, 0);
  const counted = versions.length > 0 ? `${versions.join(', ')}, ${count(failed)} failed` : 'no requests counted';
  const asked = probed
    ? `; probed ${probed.sent} times: ${count(probed.failed)} failed, ${count(probed.lost)} lost, ` +
      `${took(probed.longestGapMs)} at most between two good answers`
    : '';
  return `in ${took(until - since)}: ${counted}${asked}`;
}

export const receiptColumns = ['', 'Requests', 'Failed', 'Lost', 'Longest gap'];

/** A row a version, as the proxy counted, and one of the prober; none where nothing was counted. */
export function receiptRows({ receipt }: RunStatus): string[][] {
  if (!receipt) return [];
  const { served, probed } = receipt;
  return [
    ...Object.entries(served).map(([version, { requests, errors }]) => [
      `Served by ${version}`,
      String(requests),
      String(errors),
      '',
      '',
    ]),
    ...(probed
      ? [['Probed', String(probed.sent), String(probed.failed), String(probed.lost), took(probed.longestGapMs)]]
      : []),
  ];
}

const count = (number: number) => (number === 0 ? 'none' : String(number));
