// server_process.mjs: starts, kills and restarts the real chat server on one port and one data
// directory.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export function argument(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? fallback : process.argv[at + 1];
  if (value === undefined) throw new Error(`--${name} is needed`);
  return value;
}

function free_port() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export class ServerProcess {
  constructor(binary, page, purpose = 'browser') {
    this.binary = binary;
    this.page = page;
    this.data = mkdtempSync(join(tmpdir(), `parley-${purpose}-`));
    this.port = 0;
    this.output = '';
  }

  async start() {
    this.port ||= await free_port();
    const args = ['--port', String(this.port), '--data', join(this.data, 'chat.lmdb')];
    args.push('--page', this.page || this.data);
    this.child = spawn(this.binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => resolve(signal ?? code));
      this.child.on('error', (error) => resolve(error.message));
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (text) => {
        this.output += text;
      });
    }
    let ended = null;
    void this.ended.then((how) => {
      ended = how;
    });
    const give_up = Date.now() + 20_000;
    while (!(await accepts(this.port))) {
      if (ended !== null)
        throw new Error(`the server ended (${ended}) before it listened:\n${this.output}`);
      if (Date.now() > give_up)
        throw new Error(`the server does not listen on ${this.port} after 20 s:\n${this.output}`);
      await pause(30);
    }
  }

  /** kill -9, and waits until the process is gone. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Another server at the same address: what there was is gone. */
  async replace() {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
    mkdirSync(this.data);
    await this.start();
  }

  async stop() {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      const how = await Promise.race([this.ended, pause(10_000, 'late')]);
      if (how === 'late') await this.kill();
    }
    rmSync(this.data, { recursive: true, force: true });
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}/chat`;
  }
}
