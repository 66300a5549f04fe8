// load.mjs: a module of the page, bundled as the page has it.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const client = new URL('../../../../bindings/typescript/package.json', import.meta.url);
const { build } = createRequire(client)('esbuild');

export async function load(name) {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${name}`, import.meta.url))],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const source = Buffer.from(bundle.outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${source}`);
}
