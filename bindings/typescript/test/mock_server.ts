// mock_server.ts: an in-memory stand-in for the engine, for tests of the client and the page only.
// It keeps no promise of the real one (no store, no marks worth the name, no limits); it speaks the
// JSON subprotocol.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import { member_answers } from './mock_answers.js';

export type Json = Record<string, any>;

export interface Conversation {
  id: string;
  kind: string;
  title: string;
  epoch: string;
  events: Json[];
  ordinal: number;
  members: Map<string, { role: string; since: number; visible_from: number }>;
  receipts: Map<string, { user: string; received: number; read: number }>;
  keys: Map<string, { random: string; seq: number; time: number }>;
  /** What each user set about it. */
  set: Map<string, Json>;
}

export interface Session {
  socket: WebSocket;
  user: string;
  device: string;
  levels: Map<string, string>;
  watched: Map<string, string[]>;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface MockOptions {
  /** A directory with the page; none = no static files. */
  page?: string;
  heartbeat_ms?: number;
}

export class MockServer {
  readonly growing = new Map<string, { known: Json; text: string }>();
  next_stream = 1;
  readonly users = new Map<string, string>(); // id -> subject
  readonly conversations = new Map<string, Conversation>();
  readonly sessions = new Set<Session>();
  readonly seen: Json[] = [];
  private readonly ids_ = new Map<string, string>(); // subject -> id
  private readonly last_seen_ = new Map<string, number>();
  private readonly scheduled_ = new Map<string, Map<string, Json>>(); // by user and id
  private readonly http_: Server;
  private readonly sockets_: WebSocketServer;
  private next_id_ = 41;
  private snowflake_ = 7_408_000_000_000_000_000n;
  /** Wall clock of new events; tests may set it back to make old ones. */
  clock: () => number = Date.now;

  constructor(private readonly options_: MockOptions = {}) {
    this.http_ = createServer((request, response) => {
      void this.serve(request.url ?? '/').then(([status, type, body]) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache' }).end(body);
      });
    });
    this.sockets_ = new WebSocketServer({
      server: this.http_,
      handleProtocols: (offered) => (offered.has('parley.v1.json') ? 'parley.v1.json' : false),
    });
    this.sockets_.on('connection', (socket) => this.connected(socket));
  }

  listen(port = 0): Promise<number> {
    return new Promise((resolve) => {
      this.http_.listen(port, '127.0.0.1', () =>
        resolve((this.http_.address() as { port: number }).port),
      );
    });
  }

  /** Cuts every link without a word, like a killed process. */
  cut(): void {
    for (const session of this.sessions) session.socket.terminate();
  }

  close(): Promise<void> {
    this.cut();
    this.sockets_.close();
    this.http_.closeAllConnections();
    return new Promise((resolve) => this.http_.close(() => resolve()));
  }

  private async serve(url: string): Promise<[number, string, string | Buffer]> {
    if (!this.options_.page) return [404, 'text/plain', 'not here'];
    const path = normalize(decodeURIComponent(url.split('?')[0]!));
    const file = join(this.options_.page, path === '/' ? 'index.html' : path);
    try {
      return [200, types[extname(file)] ?? 'application/octet-stream', await readFile(file)];
    } catch {
      return [404, 'text/plain', 'not here'];
    }
  }

  // ---- The model ----

  /** Whether that user follows the conversation in full. */
  looks(subject: string, conversation: string): boolean {
    const user = this.ids_.get(subject);
    return [...this.sessions].some(
      (one) => one.user === user && one.levels.get(conversation) === 'full',
    );
  }

  user(subject: string): string {
    let id = this.ids_.get(subject);
    if (!id) {
      id = String(this.next_id_++);
      this.ids_.set(subject, id);
      this.users.set(id, subject);
    }
    return id;
  }

  create(
    kind: string,
    title: string,
    owner: string,
    members: string[],
    id = randomBytes(16).toString('hex'),
  ): Conversation {
    const conversation: Conversation = {
      id,
      kind,
      title,
      epoch: randomBytes(16).toString('hex'),
      events: [],
      ordinal: 0,
      members: new Map(),
      receipts: new Map(),
      keys: new Map(),
      set: new Map(),
    };
    this.conversations.set(id, conversation);
    const role = kind === 'direct' ? 'member' : 'owner';
    conversation.members.set(owner, { role, since: this.clock(), visible_from: 1 });
    for (const member of members) {
      conversation.members.set(member, { role: 'member', since: this.clock(), visible_from: 1 });
    }
    this.append(conversation, { kind: 'created', sender: owner, title, conversation_kind: kind });
    for (const member of conversation.members.keys()) this.push_entry(conversation, member);
    return conversation;
  }

  append(conversation: Conversation, fields: Json): Json {
    if (fields['kind'] === 'message') conversation.ordinal += 1;
    const event: Json = {
      seq: conversation.events.length + 1,
      ordinal: conversation.ordinal,
      id: String(this.snowflake_++),
      time: this.clock(),
      ...fields,
    };
    conversation.events.push(event);
    if (event['kind'] === 'message')
      this.receipt(conversation, event['sender'], event['seq'], event['seq']);
    for (const session of this.sessions) {
      const level = session.levels.get(conversation.id);
      if (!conversation.members.has(session.user) && event['target'] !== session.user) continue;
      if (level === 'full')
        this.push(session, this.events_frame(conversation, event['seq'], event['seq']));
      if (level === 'heads') {
        this.push(session, {
          type: 'head_moved',
          conversation: conversation.id,
          head: this.cursor(conversation),
          head_ordinal: conversation.ordinal,
        });
      }
    }
    return event;
  }

  say(conversation: Conversation, sender: string, text: string): Json {
    return this.append(conversation, { kind: 'message', sender, text });
  }

  receipt(conversation: Conversation, user: string, received: number, read: number): void {
    const before = conversation.receipts.get(user) ?? { user, received: 0, read: 0 };
    const head = conversation.events.length;
    const after = {
      user,
      received: Math.min(head, Math.max(before.received, received, read)),
      read: Math.min(head, Math.max(before.read, read)),
    };
    conversation.receipts.set(user, after);
    if (after.received === before.received && after.read === before.read) return;
    const push = { type: 'receipts', conversation: conversation.id, receipts: [after] };
    for (const session of this.sessions) {
      if (session.levels.get(conversation.id) === 'full') this.push(session, push);
    }
  }

  private cursor(conversation: Conversation): Json {
    const seq = conversation.events.length;
    return { epoch: conversation.epoch, seq, mark: seq * 7 };
  }

  private events_frame(conversation: Conversation, first: number, last: number): Json {
    const { id, epoch } = conversation;
    const events = conversation.events.slice(first - 1, last);
    return { type: 'events', conversation: id, epoch, first, events, mark: last * 7 };
  }

  entry(conversation: Conversation, user: string): Json {
    const member = conversation.members.get(user)!;
    const own = conversation.receipts.get(user) ?? { received: 0, read: 0 };
    const last = conversation.events[conversation.events.length - 1]!;
    const at_read =
      conversation.events[Math.max(own.read, member.visible_from - 1) - 1]?.['ordinal'] ?? 0;
    return {
      conversation: conversation.id,
      kind: conversation.kind,
      title: conversation.title,
      peer:
        conversation.kind === 'direct'
          ? ([...conversation.members.keys()].find((id) => id !== user) ?? user)
          : undefined,
      role: member.role,
      visible_from: member.visible_from,
      head: this.cursor(conversation),
      head_ordinal: conversation.ordinal,
      received: own.received,
      read: own.read,
      unread: conversation.ordinal - at_read,
      last_activity: last['time'],
      last,
      ...conversation.set.get(user),
    };
  }

  private list(user: string): Json {
    const mine = [...this.conversations.values()].filter((one) => one.members.has(user));
    return {
      whole: true,
      entries: mine.map((one) => this.entry(one, user)),
      removed: [],
      token: 'mock',
    };
  }

  push_entry(conversation: Conversation, user: string): void {
    for (const session of this.sessions) {
      if (session.user !== user) continue;
      const entry = this.entry(conversation, user);
      this.push(session, {
        type: 'list',
        whole: false,
        entries: [entry],
        removed: [],
        token: 'mock',
      });
    }
  }

  push(session: Session, frame: Json): void {
    session.socket.send(JSON.stringify(frame));
  }

  // ---- Links ----

  private connected(socket: WebSocket): void {
    let session: Session | null = null;
    socket.on('message', (data) => {
      for (const line of String(data).split('\n')) {
        if (line === '') continue;
        const frame = JSON.parse(line) as Json;
        this.seen.push(frame);
        if (frame['type'] === 'hello') session = this.hello(socket, frame);
        else if (session) this.answer(session, frame);
      }
    });
    socket.on('close', () => {
      if (!session) return;
      this.sessions.delete(session);
      this.last_seen_.set(session.user, Date.now());
      this.presence_changed(session.user);
    });
  }

  private hello(socket: WebSocket, frame: Json): Session | null {
    if (!frame['token']) {
      const error = { code: 'unauthenticated', message: 'a token is needed', retryable: false };
      socket.send(JSON.stringify({ type: 'error', request: frame['request'], ...error }));
      socket.close(1008);
      return null;
    }
    const user = this.user(frame['token']);
    const session: Session = {
      socket,
      user,
      device: frame['device'] ?? '',
      levels: new Map(),
      watched: new Map(),
    };
    this.sessions.add(session);
    this.push(session, {
      type: 'welcome',
      request: frame['request'],
      version: 1,
      session: String(this.next_id_ + 1000),
      user,
      device: '7',
      subject: frame['token'],
      heartbeat_ms: this.options_.heartbeat_ms ?? 20_000,
      max_body: 262_144,
      ticket: 'mock-ticket',
      list: this.list(user),
    });
    this.presence_changed(user);
    return session;
  }

  private online(user: string): boolean {
    return [...this.sessions].some((session) => session.user === user);
  }

  presence(user: string): Json {
    const last_seen = this.last_seen_.get(user);
    return this.online(user) ? { user, online: true } : { user, online: false, last_seen };
  }

  private presence_changed(user: string): void {
    for (const session of this.sessions) {
      const watches = [...session.watched.values()].some((users) => users.includes(user));
      if (watches) this.push(session, { type: 'presence', users: [this.presence(user)] });
    }
  }

  /** Nothing is ever due here. */
  private schedule(
    session: Session,
    frame: Json,
    reply: (fields: Json) => void,
    fail: (code: string, message: string) => void,
  ): void {
    const own = this.scheduled_.get(session.user) ?? new Map<string, Json>();
    this.scheduled_.set(session.user, own);
    const tell = (news: Json): void => {
      for (const other of this.sessions)
        if (other.user === session.user) this.push(other, { type: 'scheduled', whole: false, ...news });
    };
    if (frame['type'] === 'list_scheduled')
      return reply({ type: 'scheduled', whole: true, items: [...own.values()] });
    const id = (frame['id'] as string | undefined) ?? String((this.snowflake_ += 1n));
    if (frame['id'] !== undefined && !own.has(id)) return fail('denied', 'absent or forbidden');
    if (frame['type'] === 'unschedule') {
      own.delete(id);
      reply({ type: 'done' });
      return tell({ items: [], removed: [id] });
    }
    const item = { id, at: frame['at'], message: frame['message'] };
    own.set(id, item);
    reply({ type: 'scheduled', whole: false, items: [item] });
    return tell({ items: [item] });
  }

  private answer(session: Session, frame: Json): void {
    const reply = (fields: Json): void =>
      this.push(session, { request: frame['request'], ...fields });
    const fail = (code: string, message: string): void =>
      reply({ type: 'error', code, message, retryable: false });
    if (frame['type'] === 'subscribe') return this.subscribe(session, frame, reply);
    if (frame['type'] === 'lookup') {
      const users = (frame['users'] as string[]).flatMap((id) =>
        this.users.has(id) ? [{ id, subject: this.users.get(id)! }] : [],
      );
      return reply({ type: 'names', users });
    }
    if (frame['type'] === 'create') {
      const members = ((frame['members'] as string[]) ?? []).map((name) => this.user(name));
      const made = this.create(frame['kind'], frame['title'] ?? '', session.user, members);
      return reply({ type: 'opened', entry: this.entry(made, session.user) });
    }
    if (frame['type'] === 'direct') {
      const peer = this.user(frame['peer']);
      const found = [...this.conversations.values()].find(
        (one) => one.kind === 'direct' && one.members.has(peer) && one.members.has(session.user),
      );
      const made = found ?? this.create('direct', '', session.user, [peer]);
      return reply({ type: 'opened', entry: this.entry(made, session.user) });
    }
    if (/scheduled?$/.test(frame['type'])) return this.schedule(session, frame, reply, fail);
    if (frame['type'] === 'ping') return reply({ type: 'done' });
    if (frame['type'] === 'sync') return reply({ type: 'list', ...this.list(session.user) });
    if (frame['type'] === 'bye') {
      reply({ type: 'goodbye', reason: 'bye', reconnect: false });
      session.socket.close(1000);
      return;
    }
    const conversation = this.conversations.get(frame['conversation']);
    if (!conversation) return fail('denied', 'absent or forbidden');
    if (frame['type'] === 'join') {
      if (conversation.kind !== 'channel') return fail('denied', 'absent or forbidden');
      if (!conversation.members.has(session.user)) {
        const visible_from = conversation.events.length + 1;
        conversation.members.set(session.user, { role: 'member', since: Date.now(), visible_from });
      }
      return reply({ type: 'opened', entry: this.entry(conversation, session.user) });
    }
    if (!conversation.members.has(session.user)) return fail('denied', 'absent or forbidden');
    const ask = { server: this, session, frame, conversation, reply, fail };
    const answer = member_answers[frame['type'] as string];
    if (answer) answer(ask);
    else fail('unsupported', `unknown type ${String(frame['type'])}`);
  }

  private subscribe(session: Session, frame: Json, reply: (fields: Json) => void): void {
    const ranges: Json[] = [];
    const answers = (frame['items'] as Json[]).map((item) => {
      const conversation = this.conversations.get(item['conversation']);
      if (!conversation?.members.has(session.user)) {
        return { conversation: item['conversation'], answer: 'denied', level: 'none' };
      }
      session.levels.set(conversation.id, item['level']);
      const head = this.cursor(conversation);
      const at = item['cursor'] as Json | undefined;
      let answer = 'snapshot';
      if (at && at['epoch'] !== conversation.epoch) answer = 'forked';
      else if (at && at['seq'] > head['seq']) answer = 'ahead';
      else if (at && at['seq'] === head['seq']) answer = 'caught_up';
      else if (at) {
        answer = 'range';
        if (item['level'] === 'full')
          ranges.push(this.events_frame(conversation, at['seq'] + 1, head['seq']));
      }
      return {
        conversation: conversation.id,
        answer,
        level: item['level'],
        head,
        head_ordinal: conversation.ordinal,
      };
    });
    reply({ type: 'subscribed', answers });
    for (const range of ranges) this.push(session, range);
  }
}
