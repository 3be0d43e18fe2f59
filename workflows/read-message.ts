import type { Message } from './messages.ts';

/** Characters of a field: two hundred refused messages must still fit into the run's result. */
const longest = 200;
const fields = ['plan', 'step', 'by', 'reason', 'run'] as const;

/** The known text fields of whatever somebody sent; all else is dropped. Never throws: a refusal follows instead. */
export function readMessage(payload: unknown): Message {
  if (typeof payload !== 'object' || payload === null) return {};
  const message: Message = {};
  for (const field of fields) {
    const value = (payload as Record<string, unknown>)[field];
    if (typeof value === 'string' && value.trim() !== '') message[field] = value.trim().slice(0, longest);
  }
  return message;
}
