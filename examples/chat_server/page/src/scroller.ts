// scroller.ts: the scrolled list of rows: stays at the end, or where the reader is, whatever comes and goes.
import type { Seq } from '@parley/client';
import { el, icon, reconcile, type Keyed } from './dom.js';

const near_edge_px = 600;
const near_bottom_px = 48;
const flash_ms = 1_600;

export interface ScrollActions {
  /** The reader is near the beginning or the end of what is drawn. */
  near: (edge: 'older' | 'newer') => void;
  /** Another part of the rows is on screen. */
  moved: () => void;
  /** To the newest message. */
  jump: () => void;
}

export class Scroller {
  readonly element: HTMLElement;
  readonly rows = el('div', { class: 'rows' });
  /** Over the rows: what there is to say of the beginning. */
  readonly top = el('div', { class: 'top' });
  /** In the conversation, for the way down. */
  unread = 0;
  /** The rows end where the conversation does. */
  whole = true;
  /** The end is on screen and is to stay there. */
  stick = true;
  /** How large the view was when it was looked at last. */
  private size_ = '';
  private readonly view_ = el('div', {
    class: 'messages',
    role: 'log',
    'aria-live': 'polite',
    'aria-label': 'Messages',
  });
  private readonly jump_ = el('button', { type: 'button', class: 'jump', hidden: true });

  constructor(private readonly actions_: ScrollActions) {
    this.view_.append(this.top, this.rows);
    this.element = el('div', { class: 'chat-body' }, this.view_, this.jump_);
    this.view_.addEventListener('scroll', () => this.scrolled(), { passive: true });
    this.jump_.addEventListener('click', () => actions_.jump());
    new ResizeObserver(() => this.resized()).observe(this.view_);
  }

  set busy(on: boolean) {
    this.view_.setAttribute('aria-busy', String(on));
  }

  clear(): void {
    this.rows.replaceChildren();
    this.top.replaceChildren();
    this.top.dataset['state'] = '';
    this.stick = true;
  }

  /** The first row on screen does not move, or the last one stays the last. */
  draw(rows: readonly Keyed[]): void {
    const anchor = this.stick ? null : this.anchor();
    reconcile(this.rows, rows);
    this.render_tab_stop();
    if (this.stick) this.to_bottom();
    else if (anchor) this.view_.scrollTop += anchor.key_top() - anchor.top;
    this.render_jump();
  }

  private render_jump(): void {
    const { unread } = this;
    this.jump_.hidden = this.stick;
    const label = unread > 0 ? `${unread} new messages, go to the newest` : 'Go to the newest';
    if (this.jump_.getAttribute('aria-label') === label) return;
    this.jump_.setAttribute('aria-label', label);
    this.jump_.replaceChildren(unread > 0 ? `${unread} new` : '', icon('down'));
  }

  to_bottom(): void {
    this.stick = true;
    this.view_.scrollTop = this.view_.scrollHeight;
  }

  /** To the line of what is new, if it is above; `far`: wherever it is. */
  to_line(far: boolean): void {
    const row = this.rows.querySelector<HTMLElement>('.row.new');
    if (!row || (!far && row.offsetTop >= this.view_.scrollTop)) return;
    this.view_.scrollTop = Math.max(0, row.offsetTop - 80);
    this.scrolled();
  }

  row_of(seq: Seq): HTMLElement | null {
    return this.rows.querySelector<HTMLElement>(`.message[data-seq="${seq}"]`);
  }

  /** Shows a message and lights it up. */
  flash(row: HTMLElement): void {
    this.stick = false;
    row.scrollIntoView({ block: 'center' });
    row.focus({ preventScroll: true });
    row.classList.add('flash');
    setTimeout(() => row.classList.remove('flash'), flash_ms);
  }

  /** The newest message that is wholly on screen, or whose end is; 0: none. */
  last_seen(): Seq {
    const edge = this.view_.getBoundingClientRect().bottom;
    const rows = [...this.rows.querySelectorAll<HTMLElement>('.message[data-seq]')];
    let [from, to] = [0, rows.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (rows[middle]!.getBoundingClientRect().bottom <= edge + 1) from = middle + 1;
      else to = middle;
    }
    return Number(rows[from - 1]?.dataset['seq'] ?? 0);
  }

  /** A view of another size shows the end as before: nobody has scrolled. */
  private resized(): void {
    const { clientWidth, clientHeight } = this.view_;
    const size = `${clientWidth} ${clientHeight}`;
    if (size === this.size_) return;
    this.size_ = size;
    if (this.stick) this.to_bottom();
  }

  private scrolled(): void {
    this.resized(); // its observer is told only after the scrolling that it brings about
    const { scrollTop, scrollHeight, clientHeight } = this.view_;
    const below = scrollHeight - scrollTop - clientHeight;
    this.stick = this.whole && below < near_bottom_px;
    this.render_jump();
    if (scrollTop < near_edge_px) this.actions_.near('older');
    if (below < near_edge_px) this.actions_.near('newer');
    this.actions_.moved();
  }

  /** The first row on screen; not the very first, which gets another look when rows come before it. */
  private anchor(): { top: number; key_top: () => number } | null {
    const edge = this.view_.getBoundingClientRect().top;
    const rows = [...this.rows.querySelectorAll<HTMLElement>('.message, .system')];
    const row = rows.slice(1).find((one) => one.getBoundingClientRect().bottom > edge) ?? rows[0];
    if (!row) return null;
    const { top } = row.getBoundingClientRect();
    const selector = `[data-key="${CSS.escape(row.dataset['key']!)}"]`;
    const now = (): Element | null => this.rows.querySelector(selector);
    return { top, key_top: () => now()?.getBoundingClientRect().top ?? top };
  }

  /** The Tab key stops at one message: where the focus was last, else the newest. */
  private render_tab_stop(): void {
    const rows = [...this.rows.querySelectorAll<HTMLElement>('.message')];
    const current = rows.find((row) => row.contains(document.activeElement)) ?? rows.at(-1);
    for (const row of rows) if (row.tabIndex === 0 && row !== current) row.tabIndex = -1;
    if (current) current.tabIndex = 0;
  }
}
