// run_share.mjs: every n-th case, with a server and a browser of its own. See run.mjs.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { run_checks } from './checks.mjs';
import './block_cases.mjs';
import './chat_cases.mjs';
import './join_cases.mjs';
import './keep_cases.mjs';
import './later_cases.mjs';
import './list_cases.mjs';
import './look_cases.mjs';
import './member_cases.mjs';
import './message_cases.mjs';
import './poll_cases.mjs';
import './space_cases.mjs';
import './stream_cases.mjs';
import './thread_cases.mjs';
import './trouble_cases.mjs';
import './user_cases.mjs';
import { browser, server, windows } from './person.mjs';
import { argument } from './server_process.mjs';

const shots = argument('shots', '');
const [share, shares] = argument('share', '0/1').split('/').map(Number);

const code = await run_checks({
  only: argument('only', ''),
  share,
  shares,
  on_failure: async (name) => {
    if (shots !== '') {
      mkdirSync(shots, { recursive: true });
      for (const { name: who, page } of windows) {
        const file = join(shots, `${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 40)}-${who}.png`);
        await page.screenshot({ path: file }).catch(() => undefined);
      }
    }
    for (const { name: who, bugs } of windows)
      if (bugs.length > 0) console.log(who, bugs.join('\n'));
    if (server.output !== '') console.log(`server: ${server.output.slice(-2_000)}`);
    for (const person of [...windows]) await person.page.context().close();
    windows.length = 0;
    if (server.child.exitCode !== null || server.child.signalCode !== null) await server.start();
  },
});
await browser.close();
await server.stop();
process.exit(code);
