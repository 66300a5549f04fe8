// ledger_process.mjs: starts the ledger, tells it lines over a pipe and reads its file back.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('ledger.mjs', import.meta.url));

export class Ledger {
  constructor(file) {
    this.file = file;
    this.lines = []; // read back so far
    this.offset = 0;
    this.syncs = 0;
    this.waiting = new Map();
    this.child = spawn(process.execPath, [program, file], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => {
      this.child.on('exit', resolve);
    });
    this.child.on('exit', (code) => {
      if (!this.closing) throw new Error(`the ledger ended (${code})`);
    });
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.waiting.get(line)?.();
      this.waiting.delete(line);
    });
  }

  tell(entry) {
    this.child.stdin.write(`${JSON.stringify(entry)}\n`);
  }

  /** Everything told so far, as it stands in the file. */
  async read() {
    const name = String((this.syncs += 1));
    const synced = new Promise((resolve) => {
      this.waiting.set(name, resolve);
    });
    this.child.stdin.write(`{"sync":${name}}\n`);
    await synced;
    if (!existsSync(this.file)) return this.lines;
    const file = openSync(this.file, 'r');
    const room = Buffer.alloc(statSync(this.file).size - this.offset);
    const count = readSync(file, room, 0, room.length, this.offset);
    closeSync(file);
    // Told after the sync, a line may be there by half; the next read finds it whole.
    const bytes = room.subarray(0, room.subarray(0, count).lastIndexOf('\n') + 1);
    this.offset += bytes.length;
    for (const line of bytes.toString().split('\n')) {
      if (line !== '') this.lines.push(JSON.parse(line));
    }
    return this.lines;
  }

  async close() {
    this.closing = true;
    this.child.stdin.end();
    await this.ended;
  }
}
