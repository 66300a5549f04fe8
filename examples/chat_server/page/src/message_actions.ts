// message_actions.ts: what one can do with a message: a bar beside it for mouse and keyboard, a sheet for
// fingers.
import type { Message, Seq } from '@parley/client';
import { dialog } from './dialog.js';
import { el, icon_button } from './dom.js';
import { on_long_press } from './fingers.js';
import { snippet } from './format.js';
import { open_menu, open_sheet, type MenuItem } from './menu.js';

export const common_reactions = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;
const reaction_bytes = 32;
const bar_gap_px = 6;
const picker_edge_px = 8;
/** What stands in the bar itself; the rest is in its menu. */
const quick: ReadonlySet<string> = new Set(['reply', 'edit']);

export interface MessageActions {
  /** null: there is nothing of that, or this one may not. */
  react: ((message: Message, key: string) => void) | null;
  reply: ((message: Message) => void) | null;
  copy: ((message: Message) => void) | null;
  thread: ((message: Message) => void) | null;
  forward: ((message: Message) => void) | null;
  seen: ((message: Message) => void) | null;
  edit: ((message: Message) => void) | null;
  remove: ((message: Message) => void) | null;
  remove_for_me: ((message: Message) => void) | null;
  pin: ((message: Message) => void) | null;
  close_poll: ((message: Message) => void) | null;
}

/** The message of a seq and what may be done with it; null: nothing. */
export type ActionsOf = (seq: Seq) => { message: Message; actions: MessageActions } | null;

function items(message: Message, actions: MessageActions): MenuItem[] {
  const { reply, edit, remove, pin, copy, seen, thread, forward, close_poll } = actions;
  const { remove_for_me } = actions;
  const all: (MenuItem | null)[] = [
    reply && { name: 'reply', icon: 'reply', label: 'Reply', run: () => reply(message) },
    edit && { name: 'edit', icon: 'pencil', label: 'Edit', run: () => edit(message) },
    thread && {
      name: 'thread',
      icon: 'thread',
      label: 'Reply in a thread',
      run: () => thread(message),
    },
    forward && { name: 'forward', icon: 'forward', label: 'Forward', run: () => forward(message) },
    seen && { name: 'seen', icon: 'eye', label: 'Who has read it', run: () => seen(message) },
    copy && { name: 'copy', icon: 'copy', label: 'Copy the text', run: () => copy(message) },
    close_poll && {
      name: 'close-poll',
      icon: 'poll',
      label: 'Close the poll',
      run: () => close_poll(message),
    },
    pin && {
      name: 'pin',
      icon: message.pinned ? 'unpin' : 'pin',
      label: message.pinned ? 'Unpin' : 'Pin for everybody',
      run: () => pin(message),
    },
    remove_for_me && {
      name: 'delete-for-me',
      icon: 'trash',
      label: 'Delete for me',
      run: () => remove_for_me(message),
    },
    remove && { name: 'delete', icon: 'trash', label: 'Delete', run: () => remove(message) },
  ];
  return all.filter((item) => item !== null);
}

/** Six common ones, and a field for any other. */
function emoji_picker(choose: (key: string) => void): HTMLElement {
  const input = el('input', {
    type: 'text',
    class: 'any-reaction',
    placeholder: 'Any',
    'aria-label': 'Another emoji',
    title: 'Any emoji: type or paste it and press Enter',
    maxlength: String(reaction_bytes),
    autocomplete: 'off',
  });
  input.addEventListener('input', () => input.setCustomValidity(''));
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    const key = input.value.trim();
    if (key === '') return;
    if (new TextEncoder().encode(key).length > reaction_bytes) {
      input.setCustomValidity('A reaction is one emoji or a very short word.');
      input.reportValidity();
      return;
    }
    choose(key);
  });
  const picker = el('div', { class: 'picker', role: 'group', 'aria-label': 'React with' });
  for (const key of common_reactions) {
    picker.append(
      el(
        'button',
        {
          type: 'button',
          class: 'emoji',
          'aria-label': `React with ${key}`,
          on: { click: () => choose(key) },
        },
        key,
      ),
    );
  }
  picker.append(input);
  return picker;
}

/** Left and right walk through the buttons of `group`. */
function walk(group: HTMLElement, event: KeyboardEvent): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0 || event.target instanceof HTMLInputElement) return;
  const buttons = [...group.querySelectorAll<HTMLElement>('button, input')];
  const next = buttons[buttons.indexOf(document.activeElement as HTMLElement) + step];
  event.preventDefault();
  next?.focus();
}

/** One bar for all rows: it goes where the pointer or the focus is. */
export class ActionBar {
  private readonly bar_ = el('div', { class: 'actions', role: 'toolbar' });
  private seq_: Seq = 0;
  private signature_ = '';

  constructor(
    private readonly rows_: HTMLElement,
    private readonly of_: ActionsOf,
    private readonly leave_: () => void,
  ) {
    rows_.addEventListener('pointerover', (event) => {
      if (event.pointerType !== 'mouse' || this.is_open()) return;
      this.attach(this.row_of(event.target));
    });
    rows_.addEventListener('pointerleave', () => {
      if (!this.is_open() && !this.rows_.contains(document.activeElement)) this.attach(null);
    });
    rows_.addEventListener('focusin', (event) => {
      const row = this.row_of(event.target);
      if (row && (event.target as Element).matches(':focus-visible')) this.attach(row);
    });
    // Later: a row that is drawn anew loses the focus only for a moment.
    rows_.addEventListener('focusout', () => setTimeout(() => this.left()));
    rows_.addEventListener('keydown', (event) => this.key(event));
    this.bar_.addEventListener('keydown', (event) => {
      const group = (event.target as Element).closest<HTMLElement>('.picker') ?? this.bar_;
      walk(group, event);
    });
    on_long_press(rows_, '.message[data-seq]', (row) => this.sheet(row));
  }

  /** After the rows were drawn: the bar stays where it was, with the focus it had. */
  redraw(focused: Element | null): void {
    if (this.seq_ === 0) return;
    const row = this.rows_.querySelector<HTMLElement>(`.message[data-seq="${this.seq_}"]`);
    this.attach(row);
    if (row && focused && this.bar_.contains(focused) && focused !== document.activeElement)
      (focused as HTMLElement).focus();
  }

  /** What has the focus in the bar now. */
  focused(): Element | null {
    return this.bar_.contains(document.activeElement) ? document.activeElement : null;
  }

  private left(): void {
    if (this.is_open()) return;
    if (!this.rows_.contains(document.activeElement) && !this.rows_.matches(':hover'))
      this.attach(null);
  }

  private row_of(target: EventTarget | null): HTMLElement | null {
    return (target as Element | null)?.closest<HTMLElement>('.message[data-seq]') ?? null;
  }

  /** Its picker or its menu is: the bar stays, wherever the pointer goes. */
  private is_open(): boolean {
    return this.bar_.isConnected && this.bar_.querySelector('[aria-expanded="true"]') !== null;
  }

  private attach(row: HTMLElement | null): void {
    const seq = Number(row?.dataset['seq'] ?? 0);
    const found = row ? this.of_(seq) : null;
    if (!row || !found) {
      this.bar_.remove();
      this.seq_ = 0;
      this.signature_ = '';
      return;
    }
    const { message, actions } = found;
    const list = items(message, actions);
    const signature = `${seq} ${list.map((item) => item.label).join()}`;
    if (signature !== this.signature_) this.fill(message, actions, list);
    this.signature_ = signature;
    this.seq_ = seq;
    const column = row.querySelector('.column')!;
    if (this.bar_.parentElement !== column) column.append(this.bar_);
    this.place(row, column);
  }

  /** Beside the bubble where there is room, else over its own end: never over another message. */
  private place(row: HTMLElement, column: Element): void {
    const { bar_: bar } = this;
    const view = this.rows_.parentElement!.getBoundingClientRect();
    const all = this.rows_.getBoundingClientRect();
    const { left, right, top } = column.getBoundingClientRect();
    const room = row.classList.contains('own') ? left - all.left : all.right - right;
    const over = room < bar.offsetWidth + bar_gap_px;
    bar.classList.toggle('over', over);
    // The last line is the one with room; beside it the eye is at the first. Both as far as they are seen.
    const wanted = over ? view.bottom - top - bar.offsetHeight : view.top - top;
    const lowest = column.firstElementChild!.clientHeight - bar.offsetHeight;
    bar.style.top = `${Math.max(0, Math.min(wanted, lowest))}px`;
  }

  private fill(message: Message, actions: MessageActions, list: MenuItem[]): void {
    this.bar_.setAttribute('aria-label', `Actions for: ${snippet(message)}`);
    const buttons = list
      .filter((item) => quick.has(item.name))
      .map((item) => {
        const button = icon_button(item.icon, item.label, () => this.run(item));
        button.dataset['action'] = item.name;
        return button;
      });
    const others = list.filter((item) => !quick.has(item.name));
    if (others.length > 0) buttons.push(this.more_button(others));
    const { react } = actions;
    if (react) buttons.unshift(this.react_button((key) => react(message, key)));
    this.bar_.replaceChildren(...buttons);
  }

  private react_button(react: (key: string) => void): HTMLButtonElement {
    const button = icon_button('smile', 'React', () => this.toggle_picker(button, react));
    button.setAttribute('aria-expanded', 'false');
    return button;
  }

  private more_button(others: MenuItem[]): HTMLButtonElement {
    const more = icon_button('more', 'More', () => {
      const { left, bottom } = more.getBoundingClientRect();
      const row = this.row();
      const then = others.map((item) => ({ ...item, run: () => this.run(item) }));
      const menu = open_menu(then, 'More', { x: left, y: bottom + 6 }, () => row);
      more.setAttribute('aria-expanded', 'true');
      menu.addEventListener('toggle', ({ newState }) => {
        if (newState === 'open') return;
        more.setAttribute('aria-expanded', 'false');
        this.left();
      });
    });
    more.setAttribute('aria-haspopup', 'menu');
    more.setAttribute('aria-expanded', 'false');
    more.dataset['action'] = 'more';
    return more;
  }

  private run(item: MenuItem): void {
    const row = this.row();
    this.attach(null);
    row?.focus({ preventScroll: true });
    item.run();
  }

  private toggle_picker(button: HTMLButtonElement, react: (key: string) => void): void {
    if (this.close_picker()) return;
    button.setAttribute('aria-expanded', 'true');
    const picker = emoji_picker((key) => {
      this.close_picker();
      this.row()?.focus({ preventScroll: true });
      react(key);
    });
    this.bar_.append(picker);
    this.keep_inside(picker);
    picker.querySelector('button')!.focus();
    const outside = (event: PointerEvent): void => {
      if (this.bar_.contains(event.target as Node)) return;
      removeEventListener('pointerdown', outside, true);
      this.close_picker();
      this.attach(null);
    };
    addEventListener('pointerdown', outside, true);
  }

  /** What sticks out of the view would be cut off. */
  private keep_inside(picker: HTMLElement): void {
    const view = this.rows_.parentElement!.getBoundingClientRect();
    const { left, right, top } = picker.getBoundingClientRect();
    const [first, last] = [view.left + picker_edge_px, view.right - picker_edge_px];
    const shift = left < first ? first - left : right > last ? last - right : 0;
    picker.style.translate = `${shift}px`;
    picker.classList.toggle('under', top < view.top);
  }

  private close_picker(): boolean {
    const picker = this.bar_.querySelector('.picker');
    const react = this.bar_.querySelector<HTMLElement>('[aria-expanded]');
    picker?.remove();
    react?.setAttribute('aria-expanded', 'false');
    return picker !== null;
  }

  private row(): HTMLElement | null {
    return this.bar_.closest<HTMLElement>('.message');
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const row = this.row_of(target);
    if (!row) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      if (this.close_picker()) this.bar_.querySelector<HTMLElement>('button')?.focus();
      else if (target !== row) row.focus();
      else this.leave_();
      return;
    }
    if (target !== row) return;
    const rows = [...this.rows_.querySelectorAll<HTMLElement>('.message')];
    const at = rows.indexOf(row);
    const next = {
      ArrowUp: rows[at - 1],
      ArrowDown: rows[at + 1],
      Home: rows[0],
      End: rows[rows.length - 1],
    }[event.key];
    if (next) {
      event.preventDefault();
      next.focus();
    } else if (event.key === 'Enter' || event.key === ' ' || event.key === 'ArrowRight') {
      event.preventDefault();
      this.attach(row);
      this.bar_.querySelector<HTMLElement>('button')?.focus();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.leave_();
    }
  }

  private sheet(row: HTMLElement): void {
    const found = this.of_(Number(row.dataset['seq']));
    if (!found) return;
    const { message, actions } = found;
    const { react } = actions;
    const above: Node[] = [el('p', { class: 'subtitle', dir: 'auto' }, snippet(message))];
    const choose = (key: string): void => {
      window_.close();
      react?.(message, key);
    };
    if (react) above.push(emoji_picker(choose));
    const window_ = open_sheet('Message', items(message, actions), ...above);
  }
}

export interface DeleteQuestion {
  title: string;
  what_then: string;
  button: string;
}

/** Asks before a message goes for good. */
export function confirm_delete(message: Message, ask: DeleteQuestion, work: () => void): void {
  const cancel = el(
    'button',
    { type: 'button', class: 'button quiet', on: { click: () => window_.close() } },
    'Keep it',
  );
  const erase = el(
    'button',
    {
      type: 'button',
      class: 'button danger filled',
      on: {
        click: () => {
          window_.close();
          work();
        },
      },
    },
    ask.button,
  );
  const window_ = dialog(
    ask.title,
    el('blockquote', { class: 'quoted', dir: 'auto' }, snippet(message)),
    el('p', { class: 'subtitle wrap' }, ask.what_then),
    el('div', { class: 'buttons' }, cancel, erase),
  );
  erase.focus();
}
