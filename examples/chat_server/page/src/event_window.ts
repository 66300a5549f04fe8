// event_window.ts: the stretch of a conversation's stream that is on screen and around it: bounded, however
// far one scrolls.
import { forget, type ChatEvent, type ConversationId, type ParleyClient, type Seq } from '@parley/client';

export const page_events = 50;
const page_events_max = 256;
const window_events = 400;

export type Edge = 'older' | 'newer';
type Page = { events: readonly ChatEvent[]; more: boolean };

export class EventWindow {
  /** Ascending and consecutive. */
  events: readonly ChatEvent[] = [];
  loaded = false;
  /** Which question is under way; and which one has failed since. */
  loading: Edge | 'place' | null = null;
  failed: Edge | 'place' | null = null;
  /** There are events before, and after. */
  older = false;
  newer = false;

  /** `take` is shown every page before it is part of the window. */
  constructor(
    private readonly client_: ParleyClient,
    private readonly id_: ConversationId,
    private readonly take_: (events: readonly ChatEvent[]) => void,
  ) {}

  get first(): Seq {
    return this.events[0]?.seq ?? 0;
  }

  get last(): Seq {
    return this.events.at(-1)?.seq ?? 0;
  }

  // ---- Questions: they resolve to whether the window has changed, and reject when they fail ----

  /** The newest events. */
  show_end(limit = page_events): Promise<boolean> {
    return this.ask('place', { limit: Math.min(limit, page_events_max) });
  }

  /** The event `seq` with what stands before and after it. */
  show_around(seq: Seq): Promise<boolean> {
    if (seq + page_events > this.head()) return this.show_end(2 * page_events);
    return this.ask('place', { before: seq + page_events, limit: 2 * page_events });
  }

  async load(edge: Edge): Promise<boolean> {
    if (!this.loaded || this.loading !== null || !this[edge]) return false;
    const limit = page_events;
    return this.ask(
      edge,
      edge === 'older' ? { before: this.first, limit } : { after: this.last, limit },
    );
  }

  // ---- Pushes ----

  /**
   * Returns those that are new at the end of the window; null: there is a hole before them.
   * `at_end`: the end is on screen, so the beginning may go.
   */
  arrived(events: readonly ChatEvent[], at_end: boolean): readonly ChatEvent[] | null {
    if (!this.loaded || this.loading === 'place' || this.newer) return [];
    const fresh = events.filter((event) => event.seq > this.last);
    if (fresh.length === 0) return [];
    if (this.last > 0 && fresh[0]!.seq !== this.last + 1) return null;
    if (!at_end && this.events.length + fresh.length > window_events) {
      this.newer = true; // whoever reads far above gets it when they come down
      return [];
    }
    this.keep([...this.events, ...fresh], 'newer');
    return fresh;
  }

  /** The user deleted these for itself alone. */
  forget(seqs: readonly Seq[]): void {
    const gone = new Set(seqs);
    this.events = this.events.map((event) => forget(event, gone));
  }

  // ---- Machinery ----

  private head(): Seq {
    return this.client_.conversation(this.id_)?.headSeq ?? 0;
  }

  private async ask(
    what: Edge | 'place',
    range: { before?: Seq; after?: Seq; limit: number },
  ): Promise<boolean> {
    this.loading = what;
    this.failed = null;
    try {
      const page = await this.client_.history(this.id_, range);
      if (this.loading !== what) return false; // a later question took its place
      this.loading = null;
      this.take_(page.events);
      this.merge(what, page);
      return true;
    } catch (error) {
      if (this.loading !== what) return false;
      this.loading = null;
      this.failed = what;
      throw error;
    }
  }

  private merge(what: Edge | 'place', { events, more }: Page): void {
    if (what === 'place') {
      this.events = events;
      this.older = more;
      this.newer = this.last < this.head();
      this.loaded = true;
    } else if (what === 'older') {
      const fresh = events.filter((event) => event.seq < this.first);
      this.older = more && fresh.length > 0;
      this.keep([...fresh, ...this.events], 'older');
    } else {
      this.keep([...this.events, ...events.filter((event) => event.seq > this.last)], 'newer');
      this.newer = this.last < this.head() && events.length > 0;
    }
  }

  /** What grew at one edge goes at the other. */
  private keep(events: readonly ChatEvent[], grown: Edge): void {
    const surplus = Math.max(0, events.length - window_events);
    if (grown === 'older') this.events = events.slice(0, events.length - surplus);
    else this.events = events.slice(surplus);
    if (surplus > 0) this[grown === 'older' ? 'newer' : 'older'] = true;
  }
}
