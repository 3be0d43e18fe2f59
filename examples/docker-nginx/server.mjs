import { createServer } from 'node:http';

const version = process.env.VERSION;
// A release called so is well by its health check, and answers its pages with errors.
const broken = version.endsWith('-broken');

const server = createServer((request, response) => {
  const { status, body } = answer(request);
  response.writeHead(status, { 'content-type': 'application/json', 'x-version': version });
  response.end(JSON.stringify(body));
});

function answer({ method, url }) {
  if (method === 'GET' && url === '/healthz') return { status: 200, body: { version } };
  if (method === 'POST' && url === '/orders') return { status: 201, body: { ordered: true, version } };
  if (method === 'GET' && url === '/') return broken ? { status: 500, body: {} } : { status: 200, body: { version } };
  return { status: 404, body: { error: `there is no ${method} ${url}` } };
}

// Takes no new requests, answers the ones in flight, and ends.
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

server.listen(8080);
