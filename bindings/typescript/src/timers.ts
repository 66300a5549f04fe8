// timers.ts: named deadlines of the core; a handful at a time, so a plain map is the fastest shape.

export class Timers {
  private readonly at_ = new Map<string, number>();

  set(name: string, at: number): void {
    this.at_.set(name, at);
  }

  /** Keeps the earlier of the two when it is set already. */
  set_earlier(name: string, at: number): void {
    const before = this.at_.get(name);
    if (before === undefined || at < before) this.at_.set(name, at);
  }

  has(name: string): boolean {
    return this.at_.has(name);
  }

  delete(name: string): void {
    this.at_.delete(name);
  }

  clear(): void {
    this.at_.clear();
  }

  /** The earliest deadline, or null. */
  next(): number | null {
    let earliest: number | null = null;
    for (const at of this.at_.values()) if (earliest === null || at < earliest) earliest = at;
    return earliest;
  }

  /** Removes and returns the names that are due, earliest first. */
  take_due(now: number): string[] {
    const due = [...this.at_].filter(([, at]) => at <= now).sort((a, b) => a[1] - b[1]);
    for (const [name] of due) this.at_.delete(name);
    return due.map(([name]) => name);
  }
}
