// One HTTP server at the address for each name given (`name`, or `name=port`), in a process of its own: `?ms=` later it
// answers with its name and `?status=`.
// Prints their ports, and ends with whoever started it.
import { createServer } from 'node:http';

const [address, ...names] = process.argv.slice(2);
const ports = {};
for (const [name, port = '0'] of names.map((given) => given.split('='))) {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://slot');
    request.resume().on('end', () => {
      setTimeout(
        () => {
          response.writeHead(Number(searchParams.get('status') ?? 200), { 'x-version': name });
          response.end(name);
        },
        Number(searchParams.get('ms') ?? 2),
      );
    });
  });
  await new Promise((resolve) => server.listen(Number(port), address, resolve));
  ports[name] = server.address().port;
}
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.resume().on('end', () => process.exit());
