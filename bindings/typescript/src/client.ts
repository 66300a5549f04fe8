// client.ts: the client a program uses. Its calls are in client/, a file per theme; here are its
// life, the user and the others.
import { ChangeCalls } from './client/change_calls.js';
import { Driver, unexpected, type ClientOptions, type Listener } from './client/driver.js';
import type { ClientEvents, LinkState } from './inputs.js';
import type {
  ConversationId,
  Device,
  Online,
  Presence,
  PresenceState,
  Receipt,
  Self,
  Seq,
  UserId,
  UserSettings,
} from './types.js';

export type { ClientOptions } from './client/driver.js';
export type { HistoryRange } from './client/message_calls.js';

/**
 * One device of one user. Owns its WebSocket and timers; `stop` gives both back. All methods may be
 * called at any time, also without a link: messages wait in the outbox, questions for the next
 * link.
 */
export class ParleyClient extends ChangeCalls {
  constructor(options: ClientOptions) {
    super(new Driver(options));
  }

  // ---- Life ----

  /** Loads what the storage has and dials. Rejects only when the storage cannot be read. */
  start(): Promise<void> {
    return this.driver_.start();
  }

  /**
   * Says bye and forgets the link; what was stored stays. The storage is closed after its last
   * commit.
   */
  stop(): Promise<void> {
    return this.driver_.stop();
  }

  /** While waiting: dials within half a second instead of when the backoff says so. */
  reconnect(): void {
    this.driver_.feed({ type: 'online' });
  }

  get state(): LinkState {
    return this.driver_.core.state;
  }

  /** Null before the first welcome. */
  get self(): Self | null {
    return this.driver_.core.self;
  }

  /** Calls `listener` for each event of the name; returns how to stop that. */
  on<Name extends keyof ClientEvents>(name: Name, listener: Listener<Name>): () => void {
    return this.driver_.on(name, listener);
  }

  // ---- Receipts, signals, presence, names ----

  /** Says that this user has read up to `seq`. Batched; kept while offline. */
  markRead(conversation: ConversationId, seq: Seq): void {
    this.tell({ type: 'read', conversation, seq });
  }

  /** How far the others have come, as far as known: ask `members` once, pushes keep it fresh. */
  receipts(conversation: ConversationId): Receipt[] {
    return this.driver_.core.receipts(conversation);
  }

  /** How many others have read up to `seq`, as far as they let it be known. */
  async seen(conversation: ConversationId, seq: Seq): Promise<number> {
    const result = await this.call({ type: 'seen', conversation, seq });
    if (result.type !== 'seen') throw unexpected(result);
    return result.count;
  }

  /**
   * Call it at every keystroke; at most one signal goes out in three seconds. `on` false when the
   * text was given up: others get a signal `typing` that lasts 0. Sending needs neither.
   */
  typing(conversation: ConversationId, on = true): void {
    this.tell({ type: 'typing', conversation, kind: 'typing', on });
  }

  /** The same for a voice that is recorded: call it every few seconds. */
  recording(conversation: ConversationId, on = true): void {
    this.tell({ type: 'typing', conversation, kind: 'recording', on });
  }

  /**
   * An ephemeral thing of the host's own, to whoever looks at the conversation now. It holds for
   * `lastsMs` (default 6 s, at most 60 s) unless a newer one of its kind comes; 0: it ended.
   */
  async signal(
    conversation: ConversationId,
    kind: string,
    text: string,
    lastsMs = 6_000,
  ): Promise<void> {
    await this.call({ type: 'signal', conversation, kind, text, lastsMs });
  }

  /** Presence of members of a conversation the user is in; an empty list ends it. */
  watch(conversation: ConversationId, users: UserId[]): void {
    this.tell({ type: 'watch', conversation, users });
  }

  /**
   * Watches a conversation as a whole, at most 10 at once: what is told of who is online there goes
   * by its size (`Online.step`). On every connection, until it is ended with `on: false`. Events
   * `online` and `presence` tell changes.
   */
  watchConversation(conversation: ConversationId, on = true): void {
    this.tell({ type: 'watch_conversation', conversation, on });
  }

  /** Step `none`: it is not watched, or the engine has not answered yet. */
  online(conversation: ConversationId): Online {
    const state = this.driver_.core.conversation(conversation);
    if (state) return this.driver_.core.people.online(state);
    return { conversation, step: 'none', count: 0, users: [] };
  }

  presence(user: UserId): Presence | null {
    return this.driver_.core.people.presence.get(user) ?? null;
  }

  /** The host's name of a user; null while it is asked for (event `names` follows). */
  name(user: UserId): string | null {
    const known = this.driver_.core.people.names.get(user);
    if (known !== undefined) return known;
    this.tell({ type: 'names', users: [user] });
    return null;
  }

  // ---- The user: the same on every device ----

  /** What the user set; null before the first welcome. Event `settings` tells changes. */
  get settings(): UserSettings | null {
    return this.driver_.core.settings;
  }

  /** Resolves with what is set then. `statusUntil` goes with a status. */
  async setUser(change: Partial<UserSettings>): Promise<UserSettings> {
    const result = await this.call({ type: 'set_user', change });
    if (result.type !== 'user_settings') throw unexpected(result);
    return result.settings;
  }

  /** How the user of this session is, now and after every reconnect. */
  setPresence(state: Exclude<PresenceState, 'offline'>): void {
    this.tell({ type: 'presence', state });
  }

  /** Those with a name, and the live sessions of ephemeral ones. Event `devices` tells changes. */
  async devices(): Promise<Device[]> {
    const result = await this.call({ type: 'devices' });
    if (result.type !== 'devices') throw unexpected(result);
    return result.devices;
  }

  /** At most 128 bytes; '' gives it the name back that it said hello with. */
  async renameDevice(device: string, name: string): Promise<void> {
    await this.call({ type: 'rename_device', device, name });
  }

  /**
   * Closes its sessions and refuses it for ever: its client stops with the error `device_revoked`.
   * With another storage the same browser is another device. Tokens are the host's to end.
   */
  async revokeDevice(device: string): Promise<void> {
    await this.call({ type: 'revoke_device', device });
  }
}
