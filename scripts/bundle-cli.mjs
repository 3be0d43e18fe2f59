// Part of the build: the command line in a few files instead of several hundred. Opening and linking them would be a
// quarter of the time that `holdpoint status` takes. The worker stays outside: it has native parts.
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (name) => fileURLToPath(new URL(`../dist/cli/${name}`, import.meta.url));

rmSync(path('bin'), { recursive: true, force: true });
await build({
  entryPoints: [path('main.js')],
  outdir: path('bin'), // as deep as dist/cli/commands, so that `../../worker/main.js` is found from here too
  bundle: true,
  splitting: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['*/worker/main.js'],
  legalComments: 'linked',
  // What is CommonJS inside asks for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as holdpointRequire } from 'node:module'; const require = holdpointRequire(import.meta.url);",
  },
});
