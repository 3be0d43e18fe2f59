import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A POST of which half of the body is sent once `begun`; `end` sends the rest and gives status and slot: `200 blue`. */
export function beginUpload(url: string): { begun: Promise<unknown>; end(): Promise<string> } {
  const body = 'x'.repeat(64 * 1024);
  const upload = request(url, { method: 'POST', headers: { 'content-length': 2 * body.length } });
  const begun = new Promise((resolve) => upload.write(body, resolve));
  return {
    begun,
    async end() {
      const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
      upload.end(body);
      const [answer] = await answered;
      await text(answer);
      return `${answer.statusCode} ${answer.headers['x-version']}`;
    },
  };
}
