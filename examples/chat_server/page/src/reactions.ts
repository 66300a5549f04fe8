// reactions.ts: the reactions under messages: who, how many, mine; a click counts before the server has
// said so.
import type { ConversationId, Message, MessageReaction, ParleyClient, Seq } from '@parley/client';
import { name_list, named_at_most, user_name } from './format.js';
import { toast_error, toast_offline } from './toasts.js';

const believed_ms = 3_000;

/** One chip under a message. */
export interface ReactionChip {
  key: string;
  count: number;
  mine: boolean;
  /** Who. */
  title: string;
}

interface Believed {
  on: boolean;
  revision: number;
}

function revision_of(message: Message): number {
  return message.tallies[0]?.revision ?? 0;
}

export class Reactions {
  /** What was clicked and is not told yet. */
  private readonly believed_ = new Map<string, Believed>();
  /** Of messages with so many reactions that nobody is named: asked for. */
  private readonly mine_ = new Map<string, boolean | null>();
  private readonly names_ = new Map<string, string[] | null>();

  constructor(
    private readonly client_: ParleyClient,
    private readonly changed_: () => void,
  ) {}

  chips(conversation: ConversationId, message: Message): ReactionChip[] {
    const chips = message.reactions.map((one) => this.chip(conversation, message, one));
    for (const [place, { on, revision }] of this.believed_) {
      const [of, seq, key] = place.split('\n') as [string, string, string];
      if (of !== conversation || seq !== String(message.seq)) continue;
      if (revision !== revision_of(message)) {
        this.believed_.delete(place);
        continue;
      }
      const chip = chips.find((one) => one.key === key);
      if (!chip && on) chips.push({ key, count: 1, mine: true, title: `You reacted with ${key}` });
      if (!chip || chip.mine === on) continue;
      chip.count += on ? 1 : -1;
      chip.mine = on;
    }
    return chips.filter((chip) => chip.count > 0);
  }

  private chip(
    conversation: ConversationId,
    message: Message,
    { key, count, users, mine }: MessageReaction,
  ): ReactionChip {
    const self = this.client_.self?.user;
    const place = `${conversation}\n${message.seq}\n${key}\n${revision_of(message)}`;
    const others = users.filter((user) => user !== self);
    const names = others.map((user) => user_name(this.client_, user));
    if (mine) names.unshift('You');
    const known = users.length > 0 ? names : (this.names_.get(place) ?? []);
    const who = known.length > 0 ? name_list(known, count) : `${count} people`;
    return {
      key,
      count,
      mine: mine ?? this.ask_mine(place, conversation, message.seq, key),
      title: `${who} reacted with ${key}`,
    };
  }

  /** The page after the user before this one begins with this one, or without. */
  private ask_mine(place: string, id: ConversationId, seq: Seq, key: string): boolean {
    const known = this.mine_.get(place);
    if (known !== undefined) return known ?? false;
    const self = this.client_.self?.user;
    if (!self) return false;
    this.mine_.set(place, null);
    const after = String(BigInt(self) - 1n);
    this.client_
      .reactors(id, seq, key, { after, limit: 1 })
      .then(({ users }) => {
        this.mine_.set(place, users[0] === self);
        this.changed_();
      })
      .catch(() => this.mine_.delete(place));
    return false;
  }

  /** Somebody looks at a chip: who is it? */
  look(id: ConversationId, message: Message, key: string): void {
    const reaction = message.reactions.find((one) => one.key === key);
    const place = `${id}\n${message.seq}\n${key}\n${revision_of(message)}`;
    if (!reaction || reaction.users.length > 0 || this.names_.has(place)) return;
    this.names_.set(place, null);
    this.client_
      .reactors(id, message.seq, key, { limit: named_at_most })
      .then(({ users }) => {
        const draw = (): void => {
          this.names_.set(
            place,
            users.map((user) => user_name(this.client_, user)),
          );
          this.changed_();
        };
        draw();
        setTimeout(draw, 500); // names that were not known yet
      })
      .catch(() => this.names_.delete(place));
  }

  toggle(id: ConversationId, message: Message, key: string): void {
    if (this.client_.state !== 'ready') return toast_offline();
    const place = `${id}\n${message.seq}\n${key}`;
    const on = !(this.chips(id, message).find((chip) => chip.key === key)?.mine ?? false);
    const believed = { on, revision: revision_of(message) };
    this.believed_.set(place, believed);
    this.changed_();
    const forget = (): void => {
      if (this.believed_.get(place) !== believed) return;
      this.believed_.delete(place);
      this.changed_();
    };
    this.client_.react(id, message.seq, key, on).then(
      () => setTimeout(forget, believed_ms),
      (error: unknown) => {
        forget();
        toast_error('Your reaction was not stored', error);
      },
    );
  }
}
