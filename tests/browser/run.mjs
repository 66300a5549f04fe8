// run.mjs: the demo page in headless Chromium against the real server, as people use it.
//   node run.mjs --server <chat_server binary> [--page DIR] [--chromium PATH] [--shots DIR]
//                [--only TEXT] [--jobs N]
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { argument } from './server_process.mjs';

const program = fileURLToPath(new URL('run_share.mjs', import.meta.url));
const jobs = argument('only', '') === '' ? Number(argument('jobs', '2')) : 1;

function run(share) {
  const options = [...process.argv.slice(2), '--share', `${share}/${jobs}`];
  const child = spawn(process.execPath, [program, ...options], { stdio: 'inherit' });
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

const codes = await Promise.all(Array.from({ length: jobs }, (_, share) => run(share)));
process.exit(Math.max(...codes));
