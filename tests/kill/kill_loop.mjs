// kill_loop.mjs: kill -9 on the real server under traffic, again and again on one LMDB directory;
// after each restart everything that anybody was told must still be so.
//   node kill_loop.mjs --server <chat_server binary> [--kills N] [--seed S] [--lies yes]
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ServerProcess, argument } from '../browser/server_process.mjs';
import { Auditor } from './audit.mjs';
import { Ledger } from './ledger_process.mjs';
import { Lies } from './lies.mjs';
import { Random } from './random.mjs';
import { arrive, keep_busy, make_conversations, make_devices, settle } from './traffic.mjs';

const kills = Number(argument('kills', process.env.PARLEY_KILLS || '20'));
const seed = Number(argument('seed', String(Date.now() % 1_000_000)));
const lying = argument('lies', '') !== '';
const violations_shown = 20;
const line_shown = 1_000; // the rest is in violations.txt
const whole_audit_every = 10; // rounds; the others read the end of each conversation
const killed_at_birth = 2; // kills while the server makes its store

class World {
  constructor(server, ledger, random) {
    Object.assign(this, { server, ledger, random });
    this.clock = 0; // one count for all: what was told before what
    this.violations = [];
    this.counts = new Map();
    this.marks = new Map(); // conversation#seq -> mark: all who see one see the same
    this.conversations = [];
    this.users = new Map(); // subject -> id
    this.membership = new Map(); // conversation/user -> inside; undefined while in doubt
    this.tamper = (frame) => frame; // lies.mjs puts itself in here
  }

  url() {
    return this.server.url;
  }

  violation(label, text) {
    this.violations.push(`${label}: ${text}`);
  }

  count(what) {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  follows(id) {
    return this.conversations.some((conversation) => conversation.id === id);
  }

  mark(conversation, seq, mark, who) {
    const key = `${conversation}#${seq}`;
    const known = this.marks.get(key);
    if (known !== undefined && known !== mark) {
      this.violation('C4', `${who} has mark ${mark} at ${key}, others ${known}`);
    }
    this.marks.set(key, mark);
  }

  async learn_members() {
    for (const { id, kind } of this.conversations) {
      if (kind === 'direct') continue;
      const page = await this.owner.link.ask('members', { conversation: id, limit: 500 });
      const inside = new Set(page.members.map(({ user }) => user));
      for (const user of this.users.values())
        this.membership.set(`${id}/${user}`, inside.has(user));
    }
  }
}

class Loop {
  constructor(world) {
    Object.assign(this, { world, devices: [], done: 0, acks: 0, audits: 0 });
  }

  /** Measures a start, then kills the server while it makes a new store, twice. */
  async be_born() {
    const { server } = this.world;
    await this.start();
    await server.kill();
    rmSync(join(server.data, 'chat.lmdb'), { recursive: true });
    for (let count = 0; count < killed_at_birth; count += 1) await this.kill_during_start();
    this.done = 0; // these come on top
    await this.start();
  }

  /** Everybody comes back, sends what is open, and the store is held against the ledger. */
  async come_back_and_check({ whole }) {
    const { world, devices } = this;
    const back = await Promise.all(devices.map((device) => device.connected || arrive(device)));
    if (back.includes(false)) throw new Error(`the server is gone:\n${world.server.output}`);
    await settle(world, devices);
    this.acks = await this.auditor.audit(devices, { whole });
    this.audits += 1;
    await settle(world, devices, (id) => this.auditor.stored.get(id)?.head ?? 0);
    await world.learn_members();
  }

  busy() {
    const { world, devices } = this;
    return devices.map((device) =>
      keep_busy(world, device).catch((error) => {
        if (error.constructor.name !== 'LinkLost') world.violation('liveness', error.stack);
      }),
    );
  }

  async kill() {
    await this.world.server.kill();
    this.done += 1;
    // What the server had sent before is still read: an ack on its way counts.
    await Promise.all(this.devices.map((device) => device.link.closed));
  }

  /** Traffic, and the end 50 to 500 ms later; stopped for a while before it, once. */
  async kill_under_traffic({ stopped }) {
    const busy = this.busy();
    await pause(this.world.random.between(50, 500));
    if (stopped) {
      this.world.server.child.kill('SIGSTOP');
      await pause(1_200);
    }
    await this.kill();
    await Promise.all(busy);
  }

  /** The server dies before it listens. */
  async kill_during_start() {
    const { server, random } = this.world;
    const started = server.start().then(
      () => 'listens',
      () => 'ended',
    );
    await pause(random.between(0, Math.max(20, this.start_ms)));
    await server.kill();
    this.world.count(
      `killed when it ${(await started) === 'listens' ? 'listened just' : 'started'}`,
    );
    this.done += 1;
  }

  /** The server dies while everybody is coming back. */
  async kill_during_return() {
    const { world, devices } = this;
    const all = devices.map(async (device) => {
      if (await arrive(device)) await keep_busy(world, device);
    });
    const ended = Promise.allSettled(all);
    await pause(world.random.between(50, 500));
    await this.kill();
    for (const { reason } of await ended) {
      if (reason && reason.constructor.name !== 'LinkLost') throw reason;
    }
    world.count('killed during the return');
  }

  async start() {
    const before = Date.now();
    await this.world.server.start();
    this.start_ms = Date.now() - before;
  }

  async run() {
    const { random, server } = this.world;
    let stopped = false;
    for (let round = 1; this.done < kills && this.world.violations.length === 0; round += 1) {
      const stop_now = !stopped && this.done >= Math.floor(kills / 2);
      await this.kill_under_traffic({ stopped: stop_now });
      stopped ||= stop_now;
      while (this.done < kills && random.chance(0.2)) await this.kill_during_start();
      await this.start();
      if (this.done < kills && random.chance(0.25)) {
        await this.kill_during_return();
        await this.start();
      }
      await this.come_back_and_check({ whole: round % whole_audit_every === 0 });
      if (round === 1) await second_server(this.world, server);
      if (round % whole_audit_every === 0) console.log(`${this.done} kills, ${this.acks} acks`);
    }
  }
}

/** Another server on the same directory refuses to start, and the first goes on. */
async function second_server(world, server) {
  const args = ['--port', '0', '--data', join(server.data, 'chat.lmdb'), '--page', server.data];
  const second = spawn(server.binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [second.stdout, second.stderr]) {
    stream.on('data', (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve) => {
    second.on('close', (code, signal) => resolve(signal ?? code));
  });
  const how = await Promise.race([ended, pause(10_000, 'runs on')]);
  if (how === 'runs on') second.kill('SIGKILL');
  if (how !== 1 || !/lock|in use|another process|already open/i.test(output)) {
    world.violation('lock', `a second server on the same directory: ${how}, says "${output}"`);
  }
  console.log(`a second server on the directory was refused: ${output.trim()}`);
}

async function main() {
  if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
    throw new Error('--kills and --seed are whole numbers');
  }
  const server = new ServerProcess(argument('server'), '', 'kill');
  const file = join(server.data, 'ledger.jsonl');
  const world = new World(server, new Ledger(file), new Random(seed));
  console.log(`seed ${seed}, ${kills} kills, ${server.data}`);
  const loop = new Loop(world);
  await loop.be_born();
  const devices = make_devices(world);
  for (const device of devices) {
    await device.connect();
    world.users.set(device.subject, device.user);
  }
  [world.owner] = devices;
  await make_conversations(world, devices);
  await settle(world, devices);
  await world.learn_members();
  Object.assign(loop, { devices, auditor: new Auditor(world, 'u0') });
  const lies = lying ? new Lies(world, devices, loop.auditor) : undefined;
  try {
    await loop.run();
    if (world.violations.length === 0) await loop.come_back_and_check({ whole: true });
    if (world.violations.length === 0) await lies?.tell_all();
  } catch (error) {
    world.violation('harness', error.stack);
  }
  if (loop.acks === 0) world.violation('harness', 'no ack was seen, so nothing was checked');
  const counts = [...world.counts].map(([what, count]) => `${what} ${count}`).join(', ');
  console.log(`${devices.length} devices, ${loop.audits} audits; ${counts}`);
  const believed = lying && lies.caught !== lies.planned;
  const failed = world.violations.length > 0 || believed;
  for (const device of devices) device.disconnect();
  await world.ledger.close();
  if (failed) {
    await server.kill();
    for (const line of world.violations.slice(0, violations_shown))
      console.log(`VIOLATION ${line.slice(0, line_shown)}`);
    writeFileSync(join(server.data, 'server_output.txt'), server.output);
    writeFileSync(join(server.data, 'violations.txt'), world.violations.join('\n'));
    console.log(`kept: ${server.data} (chat.lmdb, ledger.jsonl, violations.txt …)`);
    console.log(
      `again: node ${process.argv[1]} --server ${server.binary} --kills ${kills} --seed ${seed}` +
        (lying ? ' --lies yes' : ''),
    );
  } else {
    await server.stop();
  }
  if (lying) console.log(`${lies.caught} of ${lies.planned} lies caught`);
  const retried = world.counts.get('retried') ?? 0;
  console.log(
    `${loop.done} kills, ${loop.acks} acks checked, ${retried} retried, ` +
      `${world.violations.length} violations`,
  );
  process.exit(failed ? 1 : 0);
}

await main();
