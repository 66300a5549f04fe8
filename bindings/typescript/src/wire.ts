// wire.ts: the JSON spelling of the protocol (docs/design/wire_format.md), each theme in a file of
// wire/; what comes in is checked field by field.
import type { Answer, Operation, Reply, Request } from './operations.js';
import { event_readers, event_writers } from './wire/events.js';
import type { Readers, Writers } from './wire/frames.js';
import { bad, number, object, text, type Json } from './wire/json.js';
import { link_readers, link_writers } from './wire/link.js';
import { list_readers, list_writers } from './wire/list.js';
import { member_readers, member_writers } from './wire/members.js';
import { message_readers, message_writers } from './wire/messages.js';
import { settings_readers, settings_writers } from './wire/settings.js';
import { thread_readers, thread_writers } from './wire/threads.js';
import { user_readers, user_writers } from './wire/user.js';

export { subprotocol } from './wire/link.js';

const writers: Writers = {
  ...event_writers,
  ...link_writers,
  ...list_writers,
  ...member_writers,
  ...message_writers,
  ...settings_writers,
  ...thread_writers,
  ...user_writers,
};

const readers: Readers = {
  ...event_readers,
  ...link_readers,
  ...list_readers,
  ...member_readers,
  ...message_readers,
  ...settings_readers,
  ...thread_readers,
  ...user_readers,
};

function write_operation(operation: Operation): Json {
  const write = writers[operation.type] as ((operation: Operation) => Json) | undefined;
  if (write) return write(operation);
  const { type: _, ...fields } = operation;
  return fields;
}

/** One frame as one line. */
export function encode(request: Request): string {
  return JSON.stringify({
    type: request.operation.type,
    request: request.request,
    ...write_operation(request.operation),
  });
}

function read_answer(type: string, json: Json): Answer {
  if (!Object.hasOwn(readers, type)) return { type: 'unknown', name: type };
  const read = readers[type as Answer['type']]!;
  return { type, ...read(json) } as Answer;
}

/** Every frame of one message; throws ParleyError protocol_error and then nothing of it counts. */
export function decode(message: string): Reply[] {
  const replies: Reply[] = [];
  for (const line of message.split('\n')) {
    if (line === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw bad('text', 'JSON');
    }
    const json = object(value, 'frame');
    replies.push({
      request: number(json, 'request', 0),
      answer: read_answer(text(json, 'type'), json),
    });
  }
  return replies;
}
