import { createServer } from 'node:http';
import pg from 'pg';

const version = '2';
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
// A database that restarts cuts idle connections; the pool opens new ones by itself.
pool.on('error', (error) => console.error(`idle connection: ${error.message}`));

const server = createServer(async (request, response) => {
  try {
    const { status, body } = await answer(request);
    reply(response, status, body);
  } catch (error) {
    console.error(`${request.method} ${request.url}: ${error.stack}`);
    reply(response, 500, { error: 'the shop has a problem' });
  }
});

async function answer(request) {
  const { method, url } = request;
  const order = /^\/orders\/(\d{1,18})$/.exec(url);
  if (method === 'GET' && url === '/healthz') return health();
  if (method === 'GET' && url === '/orders') return countOrders();
  if (method === 'GET' && order) return findOrder(order[1]);
  if (method === 'POST' && url === '/orders') return placeOrder(await readJson(request));
  return { status: 404, body: { error: `there is no ${method} ${url}` } };
}

async function health() {
  await pool.query('SELECT 1');
  return { status: 200, body: { version, pid: process.pid } };
}

async function countOrders() {
  const { rows } = await pool.query('SELECT count(*)::int AS orders FROM orders');
  return { status: 200, body: rows[0] };
}

async function placeOrder({ sku, quantity = 1, gift = null }) {
  if (typeof sku !== 'string') return { status: 400, body: { error: 'an order needs a sku' } };
  const sql = 'INSERT INTO orders (sku, quantity, gift) VALUES ($1, $2, $3) RETURNING id, sku, quantity, gift';
  const { rows } = await pool.query(sql, [sku, quantity, gift && JSON.stringify(gift)]);
  return { status: 201, body: rows[0] };
}

async function findOrder(id) {
  const { rows } = await pool.query('SELECT id, sku, quantity, gift FROM orders WHERE id = $1', [id]);
  return rows[0] ? { status: 200, body: rows[0] } : { status: 404, body: { error: `there is no order ${id}` } };
}

async function readJson(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'x-version': version });
  response.end(JSON.stringify(body));
}

// Takes no new requests, answers the ones in flight, and ends.
process.on('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeIdleConnections();
});

server.listen(Number(process.env.PORT), '127.0.0.1');
