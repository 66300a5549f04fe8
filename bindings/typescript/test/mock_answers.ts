// mock_answers.ts: what the mock server answers to members of a conversation.
import type { Conversation, Json, MockServer, Session } from './mock_server.js';

interface Ask {
  server: MockServer;
  session: Session;
  frame: Json;
  conversation: Conversation;
  reply: (fields: Json) => void;
  fail: (code: string, message: string) => void;
}

function push_piece(
  server: MockServer,
  conversation: Conversation,
  from: Session,
  piece: Json,
): void {
  for (const other of server.sessions) {
    if (other === from || other.levels.get(conversation.id) !== 'full') continue;
    server.push(other, { type: 'streamed', ...piece });
  }
}

function end_growing(
  server: MockServer,
  conversation: Conversation,
  from: Session,
  stream: string,
): void {
  const grown = server.growing.get(stream);
  if (!grown) return;
  server.growing.delete(stream);
  const at = Buffer.byteLength(grown.text);
  push_piece(server, conversation, from, { ...grown.known, at, ended: true });
}

export const member_answers: Record<string, (ask: Ask) => void> = {
  mark_read({ server, session, frame, conversation, reply }) {
    reply({ type: 'done' });
    return server.receipt(conversation, session.user, frame['received'] ?? 0, frame['read'] ?? 0);
  },
  set_list({ server, session, frame, conversation, reply }) {
    const { type: _, request: __, conversation: ___, ...fields } = frame;
    const set: Json = { ...conversation.set.get(session.user), ...fields };
    if ('draft' in fields) set['drafted'] = fields['draft'] === '' ? 0 : server.clock();
    conversation.set.set(session.user, set);
    reply({ type: 'done' });
    return server.push_entry(conversation, session.user);
  },
  signal({ server, session, frame, conversation, reply }) {
    reply({ type: 'done' });
    for (const other of server.sessions) {
      if (other.user === session.user || other.levels.get(conversation.id) !== 'full') continue;
      const { kind, text } = frame;
      server.push(other, {
        type: 'signalled',
        conversation: conversation.id,
        sender: session.user,
        kind,
        text,
      });
    }
  },
  start_stream({ server, session, frame, conversation, reply }) {
    const stream = String(server.next_stream++);
    const { content_type, reply_to } = frame;
    const known = { conversation: conversation.id, stream, sender: session.user };
    server.growing.set(stream, { known: { ...known, content_type, reply_to }, text: '' });
    return reply({ type: 'stream_started', conversation: conversation.id, stream });
  },
  append_stream({ server, session, frame, conversation, reply, fail }) {
    const grown = server.growing.get(frame['stream']);
    if (!grown) return fail('denied', 'it has ended');
    if (Buffer.byteLength(grown.text) !== frame['at']) return fail('invalid_argument', 'at');
    grown.text += frame['text'];
    push_piece(server, conversation, session, {
      ...grown.known,
      at: frame['at'],
      text: frame['text'],
    });
    return reply({ type: 'done' });
  },
  cancel_stream({ server, session, frame, conversation, reply }) {
    end_growing(server, conversation, session, frame['stream']);
    return reply({ type: 'done' });
  },
  get_stream({ server, frame, reply, fail }) {
    const grown = server.growing.get(frame['stream']);
    if (!grown) return fail('denied', 'it has ended');
    return reply({ type: 'streamed', ...grown.known, at: 0, text: grown.text });
  },
  react({ server, session, frame, conversation, reply }) {
    const { seq, key } = frame;
    const revision = conversation.events.length + 1;
    const reactions = [{ key, count: 1, users: [session.user] }];
    const tallies = [{ seq, revision, reactions }];
    server.append(conversation, { kind: 'reactions', sender: session.user, tallies });
    return reply({ type: 'done' });
  },
  watch({ server, session, frame, conversation, reply }) {
    session.watched.set(conversation.id, frame['users']);
    return reply({
      type: 'presence',
      users: (frame['users'] as string[]).map((user) => server.presence(user)),
    });
  },
  watch_conversation({ server, session, frame, conversation, reply }) {
    const users = [...conversation.members.keys()];
    if (frame['on'] === false) session.watched.delete(`all ${conversation.id}`);
    else session.watched.set(`all ${conversation.id}`, users);
    return reply({
      type: 'online',
      conversation: conversation.id,
      step: frame['on'] === false ? 'none' : 'full',
      users: users.map((user) => server.presence(user)),
    });
  },
  members({ server, frame, conversation, reply }) {
    const wanted = ((frame['prefix'] as string) ?? '').toLowerCase();
    const members = [...conversation.members]
      .map(([user, fields]) => ({ user, ...fields }))
      .filter(({ user }) => server.users.get(user)!.toLowerCase().startsWith(wanted));
    const receipts = conversation.kind === 'channel' ? [] : [...conversation.receipts.values()];
    return reply({
      type: 'members_page',
      members,
      receipts,
      count: conversation.members.size,
      more: false,
    });
  },
  add({ server, session, frame, conversation, reply }) {
    for (const name of frame['members'] as string[]) {
      const target = server.user(name);
      if (conversation.members.has(target)) continue;
      conversation.members.set(target, { role: 'member', since: Date.now(), visible_from: 1 });
      server.append(conversation, {
        kind: 'added',
        sender: session.user,
        target,
        role: 'member',
      });
      server.push_entry(conversation, target);
    }
    return reply({ type: 'done' });
  },
  leave({ server, session, conversation, reply }) {
    server.append(conversation, { kind: 'left', target: session.user });
    conversation.members.delete(session.user);
    reply({ type: 'done' });
    return server.push(session, {
      type: 'list',
      whole: false,
      entries: [],
      removed: [conversation.id],
      token: 'mock',
    });
  },
  set_title({ server, session, frame, conversation, reply }) {
    conversation.title = frame['title'];
    server.append(conversation, {
      kind: 'settings_changed',
      sender: session.user,
      title: frame['title'],
    });
    return reply({ type: 'done' });
  },
  send({ server, session, frame, conversation, reply }) {
    const key = `${session.user}/${session.device}/${frame['number']}`;
    const before = conversation.keys.get(key);
    const ack = { type: 'ack', conversation: conversation.id, number: frame['number'] };
    if (before && before.random === frame['random']) {
      return reply({ ...ack, seq: before.seq, time: before.time, repeated: true });
    }
    if (before) {
      const next = String(Number(frame['number']) + 1);
      return reply({
        type: 'error',
        code: 'number_taken',
        message: 'used before',
        retryable: false,
        next,
      });
    }
    const { text, content_type, reply_to, stream } = frame;
    const event = server.append(conversation, {
      kind: 'message',
      sender: session.user,
      echo: frame['random'],
      text,
      content_type,
      reply_to,
      stream,
    });
    if (stream) end_growing(server, conversation, session, stream);
    conversation.keys.set(key, { random: frame['random'], seq: event['seq'], time: event['time'] });
    reply({ ...ack, seq: event['seq'], time: event['time'] });
  },
  history({ session, frame, conversation, reply }) {
    const floor = conversation.members.get(session.user)!.visible_from;
    const limit = frame['limit'] ?? 50;
    const head = conversation.events.length;
    const end = frame['backward'] && frame['from'] > 0 ? Math.min(frame['from'] - 1, head) : head;
    const first = frame['backward']
      ? Math.max(floor, end - limit + 1)
      : Math.max(floor, frame['from']);
    const last = frame['backward'] ? end : Math.min(head, first + limit - 1);
    const events = conversation.events.slice(first - 1, last);
    reply({
      type: 'history_page',
      conversation: conversation.id,
      epoch: conversation.epoch,
      first: events.length > 0 ? first : 0,
      events,
      mark: last * 7,
      more: frame['backward'] ? first > floor : last < head,
      floor,
    });
  },
};
