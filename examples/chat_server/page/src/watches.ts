// watches.ts: whose presence this window asks for: of each conversation all that its parts want.
import type { ConversationId, ParleyClient, PresenceState, UserId } from '@parley/client';

/** A part of the page that watches people. */
type Part = 'list' | 'members' | 'self';

export class Watches {
  private readonly wanted_ = new Map<ConversationId, Map<Part, readonly UserId[]>>();
  /** The conversation through which this user is watched. */
  private mirror_: ConversationId = '';
  /** Those that were left from here: the list may still have them for a moment. */
  private readonly left_ = new Set<ConversationId>();

  constructor(private readonly client_: ParleyClient) {}

  /** In place of what that part watched there. */
  set(id: ConversationId, part: Part, users: readonly UserId[]): void {
    const parts = this.wanted_.get(id) ?? new Map<Part, readonly UserId[]>();
    if (users.length > 0) parts.set(part, users);
    else if (!parts.delete(part)) return;
    this.wanted_.set(id, parts);
    this.client_.watch(id, [...new Set([...parts.values()].flat())]);
  }

  /** Nobody is watched there any more: the engine would not answer. */
  left(id: ConversationId): void {
    this.wanted_.delete(id);
    this.left_.add(id);
    if (this.mirror_ === id) this.mirror_ = '';
  }

  /**
   * How this user is to others, on all devices together; `own`: what this window says, until the
   * engine has told, which it does of members of some conversation only.
   */
  self_state(own: PresenceState): PresenceState {
    const { client_: client } = this;
    const user = client.self?.user;
    if (!user || client.state !== 'ready') return 'offline';
    if (!client.conversation(this.mirror_)) {
      this.wanted_.delete(this.mirror_);
      const here = client.conversations().map(({ conversation }) => conversation);
      this.mirror_ = here.find((id) => !this.left_.has(id)) ?? '';
      if (this.mirror_ !== '') this.set(this.mirror_, 'self', [user]);
    }
    const state = client.presence(user)?.state ?? 'offline';
    return state === 'offline' ? own : state;
  }
}
