// scheduled.ts: messages that the engine will send later: when, and what waits.
import type { ConversationId, ParleyClient, ScheduledMessage } from '@parley/client';
import { dialog, field, form } from './dialog.js';
import { el, icon, icon_button, reconcile } from './dom.js';
import { date_and_time, snippet } from './format.js';
import { clear_toast, toast_error, toast_offline } from './toasts.js';

const hour_ms = 3_600_000;
/** The engine takes times ahead of its own clock. */
const now_ms = 1_000;

/** All that waits of this user, on whatever device it was written. */
export class Scheduled {
  private readonly messages_ = new Map<string, ScheduledMessage>();
  private readonly listeners_ = new Set<() => void>();

  constructor(private readonly client_: ParleyClient) {
    client_.on('scheduled', ({ whole, messages, removed }) => {
      if (whole) this.messages_.clear();
      for (const id of removed) this.messages_.delete(id);
      this.take(messages);
    });
    client_.on('state', ({ state }) => {
      if (state === 'ready') void this.load();
    });
  }

  on_change(listener: () => void): () => void {
    this.listeners_.add(listener);
    return () => this.listeners_.delete(listener);
  }

  /** The next one first. */
  of(id: ConversationId): ScheduledMessage[] {
    const all = [...this.messages_.values()].filter(({ conversation }) => conversation === id);
    return all.sort((a, b) => a.at - b.at);
  }

  private async load(): Promise<void> {
    try {
      const messages = await this.client_.scheduled();
      this.messages_.clear();
      this.take(messages);
    } catch {
      // What changes is told; the next connection asks again.
    }
  }

  private take(messages: readonly ScheduledMessage[]): void {
    for (const message of messages) this.messages_.set(message.id, message);
    for (const listener of [...this.listeners_]) listener();
  }
}

/** Times that people mean by "later", the next one first. */
export function later_times(now: Date): { label: string; at: number }[] {
  const on = (days: number, hour: number): number =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour).getTime();
  const to_monday = (8 - now.getDay()) % 7 || 7;
  const times = [
    { label: 'In an hour', at: now.getTime() + hour_ms },
    { label: 'This evening', at: on(0, 19) },
    { label: 'Tomorrow morning', at: on(1, 9) },
    { label: 'Monday morning', at: on(to_monday, 9) },
  ];
  const is_ahead = ({ at }: { at: number }): boolean => at > now.getTime() + hour_ms / 2;
  return times
    .filter(is_ahead)
    .filter((time, at, all) => all.findIndex((one) => one.at === time.at) === at);
}

function local_input(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

/** Asks when; `chosen` is to store it. */
export function later_dialog(client: ParleyClient, chosen: (at: number) => Promise<void>): void {
  const input = el('input', { type: 'datetime-local', name: 'at', required: true });
  input.value = local_input(Date.now() + hour_ms);
  input.min = local_input(Date.now());
  const asking = form(
    client,
    'Send then',
    [field('At another time', input)],
    () => chosen(new Date(input.value).getTime()),
    (_, window_) => window_.close(),
  );
  const times = later_times(new Date()).map(({ label, at }) => {
    const choose = (): void => {
      input.value = local_input(at);
      asking.requestSubmit();
    };
    return el(
      'button',
      { type: 'button', class: 'sheet-item', on: { click: choose } },
      icon('clock'),
      el('span', { class: 'lines' }, label),
      el('time', { class: 'subtitle' }, date_and_time(at)),
    );
  });
  dialog('Send later', el('div', { class: 'sheet-items' }, ...times), asking);
}

/** A line over the composer that leads to what waits. */
export function render_scheduled_bar(parent: HTMLElement, count: number, open: () => void): void {
  parent.hidden = count === 0;
  if (count === 0) return parent.replaceChildren();
  const text = `${count} message${count === 1 ? '' : 's'} to be sent later`;
  const attributes = { type: 'button', class: 'scheduled-bar', 'data-focus': 'bar' };
  const build = (): HTMLElement =>
    el('button', { ...attributes, on: { click: open } }, icon('clock'), text);
  reconcile(parent, [{ key: 'scheduled', signature: text, build }]);
}

export function scheduled_dialog(
  client: ParleyClient,
  scheduled: Scheduled,
  id: ConversationId,
): void {
  const list = el('ul', { class: 'pins' });
  const run = (what: string, work: () => Promise<unknown>): void => {
    if (client.state !== 'ready') return toast_offline(what);
    work().then(
      () => clear_toast(what),
      (error: unknown) => toast_error(what, error),
    );
  };
  /** In one step, so that it is neither sent twice nor lost. */
  const move = async (message: ScheduledMessage, at: number): Promise<void> => {
    const { text, contentType, replyTo, id: replaces } = message;
    await client.schedule(id, { text, contentType }, at, { replyTo, replaces });
  };
  const line = (message: ScheduledMessage): HTMLElement =>
    el(
      'li',
      {},
      el(
        'span',
        { class: 'pin-line' },
        el('span', { class: 'line' }, el('span', { class: 'title' }, date_and_time(message.at))),
        el(
          'span',
          { class: 'pin-text', dir: 'auto' },
          snippet({ ...message, deleted: false }, 300),
        ),
        message.failed === 0 ? null : el('span', { class: 'problem' }, `Not sent: ${message.why}`),
      ),
      icon_button('send', 'Send now', () =>
        run('Not sent', () => move(message, Date.now() + now_ms)),
      ),
      icon_button('clock', 'Another time', () => later_dialog(client, (at) => move(message, at))),
      icon_button('trash', 'Drop it', () =>
        run('Not dropped', () => client.unschedule(message.id)),
      ),
    );
  const window_ = dialog('To be sent later', list);
  const draw = (): void => {
    const messages = scheduled.of(id);
    if (messages.length === 0) return window_.close();
    list.replaceChildren(...messages.map(line));
  };
  const off = scheduled.on_change(draw);
  window_.addEventListener('close', off);
  draw();
}
