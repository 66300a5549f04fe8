// driver.ts: drives the core: a WebSocket, timers, a storage and promises around it.
import { refusal, type Asked, type Told } from '../checks.js';
import { ClientCore } from '../core.js';
import { ParleyError } from '../errors.js';
import type { Action, Call, CallResult, ClientEvents, Input } from '../inputs.js';
import { MemoryStorage } from '../memory_storage.js';
import type { Reply } from '../operations.js';
import { random_decimal64, random_hex128 } from '../random.js';
import type { ClientStorage, StorageBatch } from '../storage.js';
import type { ChatEvent, ConversationId, Seq } from '../types.js';
import type { WebSocketConstructor, WebSocketLike } from '../websocket.js';
import { decode, encode, subprotocol } from '../wire.js';

export interface ClientOptions {
  /** ws:// or wss:// */
  url: string;
  /** The credential for the host's authenticator; a function is asked before every dial. */
  token: string | (() => string | Promise<string>);
  /** Default: memory, forgotten with the object. */
  storage?: ClientStorage;
  /**
   * The first list of a connection that has to get all of it brings so many conversations, the last
   * active first; `listPage` brings more. Default 0: everything; at most 256.
   */
  listLimit?: number;
  /** Default: the environment's; in Node before 22 pass the class of npm ws. */
  WebSocket?: WebSocketConstructor;
}

export type Listener<Name extends keyof ClientEvents> = (value: ClientEvents[Name]) => void;
type Waiting = { resolve: (result: CallResult) => void; reject: (error: ParleyError) => void };

const timeout_max_ms = 0x7fff_ffff;

/** Owns the WebSocket and the timers of one client. */
export class Driver {
  readonly core: ClientCore;
  private readonly storage_: ClientStorage;
  private readonly WebSocket_: WebSocketConstructor;
  private socket_: WebSocketLike | null = null;
  private timer_: ReturnType<typeof setTimeout> | null = null;
  private readonly listeners_ = new Map<string, Set<(value: never) => void>>();
  private readonly calls_ = new Map<Call, Waiting>();
  private next_call_ = 1;
  private commits_: Promise<void> = Promise.resolve();
  private readonly inputs_: Input[] = [];
  private running_ = false;
  private started_ = false;
  private readonly on_online_ = (): void => this.feed({ type: 'online' });
  private readonly on_offline_ = (): void => this.feed({ type: 'offline' });

  constructor(private readonly options_: ClientOptions) {
    this.core = new ClientCore({
      random: Math.random,
      random64: random_decimal64,
      listLimit: options_.listLimit ?? 0,
    });
    this.storage_ = options_.storage ?? new MemoryStorage();
    const found =
      options_.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!found) {
      throw new ParleyError(
        'unsupported',
        'this environment has no WebSocket; pass one, e.g. npm ws',
      );
    }
    this.WebSocket_ = found;
  }

  /** Loads what the storage has and dials. Rejects only when the storage cannot be read. */
  async start(): Promise<void> {
    if (this.started_) return;
    this.started_ = true;
    const stored = await this.storage_.load();
    globalThis.addEventListener?.('online', this.on_online_);
    globalThis.addEventListener?.('offline', this.on_offline_);
    this.feed({ type: 'start', stored, device: random_hex128() });
  }

  /**
   * Says bye and forgets the link; what was stored stays. The storage is closed after its last
   * commit.
   */
  async stop(): Promise<void> {
    globalThis.removeEventListener?.('online', this.on_online_);
    globalThis.removeEventListener?.('offline', this.on_offline_);
    this.feed({ type: 'stop' });
    if (this.timer_ !== null) clearTimeout(this.timer_);
    this.timer_ = null;
    await this.commits_;
    this.storage_.close();
  }

  /** Calls `listener` for each event of the name; returns how to stop that. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.listeners_.get(name) ?? new Set();
    this.listeners_.set(name, listeners);
    listeners.add(listener as (value: never) => void);
    return () => listeners.delete(listener as (value: never) => void);
  }

  /** Rejects with `invalid_argument` what the server would close the link for. */
  async call(operation: Asked): Promise<CallResult> {
    this.check(operation);
    return this.wait((call) => ({ type: 'request', call, operation }));
  }

  async send(message: Omit<Extract<Told, { type: 'send' }>, 'call'>): Promise<CallResult> {
    this.check({ ...message, call: 0 });
    return this.wait((call) => ({ ...message, call }));
  }

  /** Throws as `call` rejects. */
  tell(input: Exclude<Told, { type: 'send' }>): void {
    this.check(input);
    this.feed(input);
  }

  check(asked: Asked | Told): void {
    const wrong = refusal(asked);
    if (wrong) throw wrong;
  }

  private wait(input: (call: Call) => Input): Promise<CallResult> {
    const call = this.next_call_;
    this.next_call_ += 1;
    return new Promise((resolve, reject) => {
      this.calls_.set(call, { resolve, reject });
      this.feed(input(call));
    });
  }

  /** One input at a time, in order, also when a listener causes the next. */
  feed(input: Input): void {
    this.inputs_.push(input);
    if (this.running_) return;
    this.running_ = true;
    try {
      for (let next = this.inputs_.shift(); next; next = this.inputs_.shift()) {
        for (const action of this.core.handle(Date.now(), next)) this.run(action);
      }
    } finally {
      this.running_ = false;
    }
    this.arm();
  }

  /** Events of this device, once what was committed before is there. */
  async stored_events(
    conversation: ConversationId,
    from: Seq,
    until: Seq,
    limit: number,
  ): Promise<ChatEvent[]> {
    await this.commits_;
    return this.storage_.events(conversation, from, until, limit);
  }

  private run(action: Action): void {
    switch (action.type) {
      case 'connect':
        void this.connect();
        return;
      case 'disconnect':
        this.disconnect(action.reason);
        return;
      case 'write':
        this.socket_?.send(encode(action.request));
        return;
      case 'store':
        this.store(action.id, action.batch);
        return;
      case 'resolve':
        this.calls_.get(action.call)?.resolve(action.result);
        this.calls_.delete(action.call);
        return;
      case 'reject':
        this.calls_.get(action.call)?.reject(action.error);
        this.calls_.delete(action.call);
        return;
      case 'emit':
        this.emit(action.event.name, action.event.value);
        return;
    }
  }

  private emit(name: string, value: unknown): void {
    for (const listener of [...(this.listeners_.get(name) ?? [])]) {
      try {
        listener(value as never);
      } catch (error) {
        report(error);
      }
    }
  }

  private store(id: number, batch: StorageBatch): void {
    this.commits_ = this.commits_
      .then(() => this.storage_.commit(batch))
      .then(
        () => this.feed({ type: 'stored', id }),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          this.feed({ type: 'store_failed', id, message });
        },
      );
  }

  private async connect(): Promise<void> {
    let token: string;
    let socket: WebSocketLike;
    try {
      const { token: source } = this.options_;
      token = typeof source === 'function' ? await source() : source;
      if (this.core.state !== 'connecting') return;
      socket = new this.WebSocket_(this.options_.url, [subprotocol]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.feed({ type: 'closed', code: 1006, reason });
      return;
    }
    this.socket_ = socket;
    socket.onopen = () => this.feed({ type: 'opened', token });
    socket.onmessage = (event: { data: unknown }) => this.receive(event.data);
    socket.onerror = () => undefined; // a close event follows and says the same
    socket.onclose = (event: { code?: number; reason?: unknown }) => {
      this.release();
      this.feed({ type: 'closed', code: event.code ?? 1006, reason: String(event.reason ?? '') });
    };
  }

  private receive(data: unknown): void {
    let replies: Reply[];
    try {
      if (typeof data !== 'string')
        throw new ParleyError('protocol_error', 'the server sent a binary message');
      replies = decode(data);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.emit('problem', new ParleyError('protocol_error', reason));
      this.disconnect('protocol_error');
      this.feed({ type: 'closed', code: 1006, reason });
      return;
    }
    this.feed({ type: 'received', replies });
  }

  private disconnect(reason: string): void {
    const socket = this.socket_;
    if (!socket) return;
    this.release();
    socket.close(1000, reason.slice(0, 60));
  }

  private release(): void {
    if (!this.socket_) return;
    this.socket_.onopen = null;
    this.socket_.onmessage = null;
    this.socket_.onclose = null;
    this.socket_.onerror = () => undefined; // npm ws throws on an error that nobody listens to
    this.socket_ = null;
  }

  private arm(): void {
    if (this.timer_ !== null) clearTimeout(this.timer_);
    this.timer_ = null;
    const at = this.core.next_deadline();
    if (at === null) return;
    const delay = Math.min(Math.max(0, at - Date.now()), timeout_max_ms);
    this.timer_ = setTimeout(() => this.feed({ type: 'tick' }), delay);
  }
}

/** A listener's bug is its own: it surfaces as an uncaught error, and the client goes on. */
function report(error: unknown): void {
  const { reportError } = globalThis as { reportError?: (error: unknown) => void };
  if (reportError) reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}

export function unexpected(result: CallResult): ParleyError {
  return new ParleyError('protocol_error', `the server answered with ${result.type}`);
}
