// 500 requests a second at a front door, from a process of its own, so that nothing else here delays them. Never asks
// twice: a connection that was reset is a request lost. Says `begun`; on any message it ends, and answers with what
// became of each.
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

const { url, connections } = JSON.parse(process.argv[2]);
const everyMs = 2;
const users = 60;
const patienceMs = 10_000;
/** Usually twenty or so, and 500 more for each second in which all hang; where a machine cannot keep up, it ends here. */
const mostInFlight = 2_000;

const agent = connections === 'keep-alive' ? new Agent({ keepAlive: true }) : false;
const cookies = new Map();
const order = 'x'.repeat(500);
const sent = [];

/** Of a hundred: 72 GET of 5 ms, 25 POST of 10 ms, 3 GET of 1.5 s. */
function kindOf(turn) {
  if ([0, 32, 64].includes(turn % 100)) return { method: 'GET', path: '/slow?ms=1500' };
  if (turn % 4 === 1) return { method: 'POST', path: '/slow?ms=10', body: order };
  return { method: 'GET', path: '/slow?ms=5' };
}

function send(turn) {
  const { method, path, body } = kindOf(turn);
  const user = turn % users;
  // In the order of their starts; `lost` until there is a whole answer.
  const entry = { at: now(), answeredAt: null, version: null, lost: 'no answer' };
  sent.push(entry);
  return new Promise((resolve) => {
    const fail = (error) => {
      entry.lost = `${error.code ?? error.message}${asked.reusedSocket ? ', reused' : ''}`;
      resolve();
    };
    const asked = request(url + path, { method, agent, headers: headersOf(user, body) }, (response) => {
      const { statusCode, headers } = response;
      for (const cookie of headers['set-cookie'] ?? []) cookies.set(user, cookie.split(';')[0]);
      response.on('error', fail).resume();
      response.on('end', () => {
        entry.answeredAt = now();
        entry.version = headers['x-version'] ?? null;
        entry.lost = statusCode >= 500 ? String(statusCode) : null;
        resolve();
      });
    });
    asked.setTimeout(patienceMs, () => asked.destroy(new Error(`nothing for ${patienceMs / 1_000} s`)));
    asked.on('error', fail);
    asked.end(body);
  });
}

function headersOf(user, body) {
  const cookie = cookies.get(user);
  return { ...(cookie && { cookie }), ...(body && { 'content-length': body.length }) };
}

const now = () => performance.timeOrigin + performance.now();

const began = performance.now();
const answers = [];
let skipped = 0;
let inFlight = 0;
const timer = setInterval(() => {
  const due = Math.floor((performance.now() - began) / everyMs);
  while (answers.length + skipped < due && inFlight < mostInFlight) {
    inFlight += 1;
    answers.push(send(answers.length).then(() => (inFlight -= 1)));
  }
  skipped = Math.max(skipped, due - answers.length);
}, everyMs);

process.send('begun');
process.once('disconnect', () => process.exit());
process.once('message', async () => {
  clearInterval(timer);
  await Promise.all(answers);
  process.send(sent, () => process.disconnect());
});
