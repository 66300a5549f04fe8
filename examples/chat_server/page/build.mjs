// build.mjs: bundles the page into dist/, which the chat server serves as it is. Run `npm run
// build:page` in
// bindings/typescript; `--watch` rebuilds on every change.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const client = join(here, '../../../bindings/typescript');
const { context, build } = createRequire(join(client, 'package.json'))('esbuild');
const out = join(here, 'dist');

mkdirSync(out, { recursive: true });
for (const name of ['index.html', 'style.css', 'favicon.svg'])
  copyFileSync(join(here, name), join(out, name));

const watch = process.argv.includes('--watch');
const options = {
  entryPoints: [join(here, 'src/page.ts')],
  outfile: join(out, 'page.js'),
  alias: { '@parley/client': join(client, 'src/index.ts') },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: !watch,
  sourcemap: true,
  logLevel: watch ? 'info' : 'warning',
};
if (watch) await (await context(options)).watch();
else await build(options);
