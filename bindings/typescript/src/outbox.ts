// outbox.ts: the messages of one conversation that are not acknowledged yet, in order, with their
// keys (CONTRACT I3).
import type { OutboxItem } from './types.js';

/** At most so many unsettled numbers per conversation and device; the rest waits its turn. */
export const open_sends = 32;

interface Entry {
  item: OutboxItem;
  /** Durable on this device; nothing is sent before. */
  stored: boolean;
  in_flight: boolean;
}

/** Which item to send now, with the smallest number that may still be retried. */
export interface Outgoing {
  item: OutboxItem;
  settled: number;
}

export class Outbox {
  private entries_: Entry[] = [];
  private attempts_ = 0;
  /**
   * Something was refused for now: nothing more goes out until all answers are in, then from the
   * first on.
   */
  private redo_ = false;

  constructor(public next_number: number) {}

  /** Adds an item read from storage. */
  restore(item: OutboxItem): void {
    this.entries_.push({ item, stored: true, in_flight: false });
    this.entries_.sort((a, b) => a.item.number - b.item.number);
    this.next_number = Math.max(this.next_number, item.number + 1);
  }

  /** Adds a new item; it goes out once `stored` was said of it. */
  add(item: Omit<OutboxItem, 'number' | 'state' | 'renumbered'>): OutboxItem {
    const added: OutboxItem = {
      ...item,
      number: this.next_number,
      state: 'pending',
      renumbered: false,
    };
    this.next_number += 1;
    this.entries_.push({ item: added, stored: false, in_flight: false });
    return added;
  }

  items(): OutboxItem[] {
    return this.entries_.map((entry) => entry.item);
  }

  /** Whether the item is on this device's disk (or whatever its storage is) and survives a reload. */
  is_stored(local: string): boolean {
    return this.entry(local)?.stored ?? false;
  }

  find(local: string): OutboxItem | null {
    return this.entry(local)?.item ?? null;
  }

  stored(local: string): void {
    const entry = this.entry(local);
    if (entry) entry.stored = true;
  }

  /** Takes the items whose turn it is and counts them as in flight. */
  take(): Outgoing[] {
    const open = this.entries_
      .filter((entry) => entry.item.state === 'pending')
      .slice(0, open_sends);
    if (this.redo_) {
      if (open.some((entry) => entry.in_flight)) return [];
      this.redo_ = false;
    }
    const outgoing: Outgoing[] = [];
    const settled = open[0]?.item.number ?? 0;
    for (const entry of open) {
      if (entry.item.number >= settled + open_sends) break;
      if (!entry.stored) break; // order: nothing overtakes an item that is still being written
      if (entry.in_flight) continue;
      entry.in_flight = true;
      outgoing.push({ item: entry.item, settled });
    }
    return outgoing;
  }

  /** The answer came: the item is committed and leaves. */
  acked(local: string): OutboxItem | null {
    this.attempts_ = 0;
    return this.discard(local);
  }

  discard(local: string): OutboxItem | null {
    const entry = this.entry(local);
    if (!entry) return null;
    this.entries_ = this.entries_.filter((other) => other !== entry);
    return entry.item;
  }

  /** Refused for now; returns how often in a row. */
  put_back(local: string): number {
    const entry = this.entry(local);
    if (entry) entry.in_flight = false;
    if (!this.redo_) this.attempts_ += 1; // several in flight refused together count once
    this.redo_ = true;
    return this.attempts_;
  }

  /** The link is gone: whatever was in flight is sent again, in order, with the same keys. */
  link_lost(): void {
    for (const entry of this.entries_) entry.in_flight = false;
    this.redo_ = false;
  }

  /** Refused for good: stays, marked, until the user retries or discards it. */
  fail(local: string, error: { code: string; message: string }): OutboxItem | null {
    const entry = this.entry(local);
    if (!entry) return null;
    entry.in_flight = false;
    entry.item = { ...entry.item, state: 'failed', error };
    return entry.item;
  }

  /**
   * Gives the item a fresh key at the end of the queue; it must be stored again before it goes out.
   */
  renumber(
    local: string,
    random: string,
    at_least: number,
    renumbered: boolean,
  ): OutboxItem | null {
    const entry = this.entry(local);
    if (!entry) return null;
    const number = Math.max(at_least, this.next_number);
    this.next_number = number + 1;
    const { error: _, ...item } = entry.item;
    entry.item = {
      ...item,
      number,
      random,
      renumbered: item.renumbered || renumbered,
      state: 'pending',
    };
    entry.stored = false;
    entry.in_flight = false;
    this.entries_ = this.entries_.filter((other) => other !== entry);
    this.entries_.push(entry);
    return entry.item;
  }

  private entry(local: string): Entry | undefined {
    return this.entries_.find((entry) => entry.item.local === local);
  }
}
