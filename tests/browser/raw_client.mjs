// raw_client.mjs: a WebSocket client of a few lines on the JSON subprotocol; knows frames and
// nothing else of Parley.
import { WebSocket } from 'ws';

const patience_ms = 20_000;

export class RawClient {
  constructor(url, protocol = 'parley.v1.json') {
    this.socket = new WebSocket(url, protocol);
    this.frames = [];
    this.waiting = [];
    this.next = 1;
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.opened.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
    this.socket.on('message', (data, binary) => {
      if (binary) throw new Error('a binary message on the JSON subprotocol');
      for (const line of String(data).split('\n')) if (line !== '') this.arrived(JSON.parse(line));
    });
  }

  arrived(frame) {
    this.frames.push(frame);
    for (const wait of [...this.waiting]) {
      if (!wait.match(frame)) continue;
      this.waiting.splice(this.waiting.indexOf(wait), 1);
      wait.resolve(frame);
    }
  }

  /** The first frame, past or coming, that matches. */
  frame(what, match) {
    const past = this.frames.find(match);
    if (past) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = this.frames
          .slice(-5)
          .map((frame) => JSON.stringify(frame))
          .join('\n');
        reject(new Error(`no ${what} within 20 s; the last frames:\n${seen}`));
      }, patience_ms);
      this.waiting.push({
        match,
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
      });
    });
  }

  write(text) {
    this.socket.send(text);
  }

  /** Sends a request and gives its answer, an error frame included. */
  ask(type, fields = {}) {
    const request = this.next++;
    const answer = this.frame(`answer to ${type}`, (frame) => frame.request === request);
    this.write(JSON.stringify({ type, request, ...fields }));
    return answer;
  }

  async hello(token, fields = {}) {
    await this.opened;
    return this.ask('hello', { min_version: 1, max_version: 1, token, ...fields });
  }

  /** How the link ends; fails when it does not. */
  async end() {
    const timer = setTimeout(() => this.socket.terminate(), patience_ms);
    const ended = await this.closed;
    clearTimeout(timer);
    return ended;
  }

  close() {
    this.socket.terminate();
  }
}
