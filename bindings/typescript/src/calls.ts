// calls.ts: what the host asks of the engine, and what each answer is to it.
import type { ConversationState } from './conversation.js';
import { ParleyError } from './errors.js';
import type { Call, CallResult } from './inputs.js';
import type { Answer, Operation } from './operations.js';
import type { CoreOwner } from './owner.js';
import type { People } from './people.js';
import type { Receipts } from './receipts.js';
import type { Streams } from './streams.js';
import type { Device, ListEntry, UserId } from './types.js';

export interface CallsOwner extends CoreOwner {
  /** Into the list, and followed when it is new there. */
  take_opened(entry: ListEntry): ConversationState;
  take_page(entries: ListEntry[]): ConversationState[];
  /** Says which of them is this one. */
  mark_own(devices: Device[]): Device[];
}

/** Whom an answer names, so that the host may show them. */
function users_of(answer: Answer): UserId[] {
  switch (answer.type) {
    case 'members_page':
      return answer.page.members.map((member) => member.user);
    case 'messages':
      return answer.messages.map((message) => message.sender);
    case 'join_requests_page':
      return answer.page.requests.map((request) => request.user);
    case 'blocked_users':
      return answer.users;
    case 'invites':
      return answer.invites.map((invite) => invite.by);
    case 'restrictions_page':
      return answer.page.users.map((restricted) => restricted.user);
    case 'reactors_page':
    case 'voters_page':
      return answer.page.users;
    case 'thread_page':
      return answer.page.replies.map((reply) => reply.sender);
    case 'threads_page':
      return answer.page.threads.map((thread) => thread.root.sender);
    default:
      return [];
  }
}

/** Of answers that say it as it is; null for others. */
function result_of(answer: Answer): CallResult | null {
  switch (answer.type) {
    case 'done':
      return { type: 'done' };
    case 'members_page':
      return { type: 'members', page: answer.page };
    case 'names':
      return { type: 'names', users: answer.users };
    case 'messages':
      return { type: 'messages', messages: answer.messages };
    case 'scheduled':
      return { type: 'scheduled', change: answer.change };
    case 'conversation_info':
      return { type: 'info', info: answer.info };
    case 'join_requests_page':
      return { type: 'join_requests', page: answer.page };
    case 'blocked_users':
      return { type: 'blocked', users: answer.users };
    case 'invites':
      return { type: 'invites', invites: answer.invites };
    case 'restrictions_page':
      return { type: 'restrictions', page: answer.page };
    case 'retention':
      return { type: 'retention', retention: answer.retention };
    case 'reactors_page':
      return { type: 'reactors', page: answer.page };
    case 'ballot':
      return { type: 'ballot', ballot: answer.ballot };
    case 'stream_started':
      return { type: 'stream_started', stream: answer.stream };
    case 'voters_page':
      return { type: 'voters', page: answer.page };
    case 'thread_page':
      return { type: 'thread', page: answer.page };
    case 'threads_page':
      return { type: 'threads', page: answer.page };
    case 'thread_state':
      return { type: 'thread_state', thread: answer.thread };
    case 'seen_by':
      return { type: 'seen', count: answer.count };
    case 'user_settings':
      return { type: 'user_settings', settings: answer.settings };
    default:
      return null;
  }
}

export class Calls {
  constructor(
    private readonly owner_: CallsOwner,
    private readonly people_: People,
    private readonly receipts_: Receipts,
    private readonly streams_: Streams,
  ) {}

  answered(call: Call, operation: Operation, answer: Answer): void {
    if (answer.type === 'error') return this.owner_.reject(call, answer.error);
    const result = this.take(operation, answer);
    if (result) return this.owner_.resolve(call, result);
    const text = `the server answered ${operation.type} with ${answer.type}`;
    this.owner_.reject(call, new ParleyError('protocol_error', text));
  }

  /** What an answer says is kept, as if it had been pushed; null when it is none to a call. */
  private take(operation: Operation, answer: Answer): CallResult | null {
    this.people_.want_names(users_of(answer));
    switch (answer.type) {
      case 'opened':
        return { type: 'conversation', view: this.owner_.take_opened(answer.entry).view() };
      case 'list_page': {
        const { entries, more } = answer.page;
        const views = this.owner_.take_page(entries).map((state) => state.view());
        return { type: 'list_page', views, more };
      }
      case 'history_page': {
        const page = this.streams_.without_deleted(answer.page);
        this.streams_.keep_page(page);
        return { type: 'history', page };
      }
      case 'device_list':
        return { type: 'devices', devices: this.owner_.mark_own(answer.devices) };
      case 'members_page':
        if (operation.type === 'members')
          this.receipts_.moved(operation.conversation, answer.page.receipts);
        break;
      case 'names':
        this.people_.learn_names(answer.users);
        break;
    }
    return result_of(answer);
  }
}
