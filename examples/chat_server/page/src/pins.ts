// pins.ts: the pinned messages of a conversation: a bar on top that opens their list.
import type { Message, ParleyClient, Seq } from '@parley/client';
import { el, icon, icon_button, reconcile } from './dom.js';
import { dialog } from './dialog.js';
import { list_time, snippet, user_name } from './format.js';

export interface PinActions {
  pinned: () => Message[];
  go_to: (seq: Seq) => void;
  /** null: this one may not. */
  unpin: ((message: Message) => void) | null;
}

/** Calls `draw` now and when pins or names have changed, until the window closes. */
export type Watch = (draw: () => void) => () => void;

export function render_pinned_bar(
  parent: HTMLElement,
  pinned: readonly Message[],
  open: () => void,
): void {
  const newest = pinned[pinned.length - 1];
  parent.hidden = newest === undefined;
  if (!newest) return parent.replaceChildren();
  const title = pinned.length === 1 ? 'Pinned message' : `${pinned.length} pinned messages`;
  const text = snippet(newest);
  reconcile(parent, [
    {
      key: 'pins',
      signature: JSON.stringify([title, text]),
      build: () =>
        el(
          'button',
          {
            type: 'button',
            class: 'pinned-bar',
            title: 'Show the pinned messages',
            on: { click: open },
          },
          icon('pin'),
          el(
            'span',
            { class: 'lines' },
            el('span', { class: 'title' }, title),
            el('span', { class: 'subtitle', dir: 'auto' }, text),
          ),
        ),
    },
  ]);
}

export function pins_dialog(client: ParleyClient, actions: PinActions, watch: Watch): void {
  const list = el('ul', { class: 'pins' });
  const window_ = dialog('Pinned messages', list);
  const line = (message: Message): HTMLElement => {
    const { unpin } = actions;
    const name = user_name(client, message.sender);
    const open = (): void => {
      window_.close();
      actions.go_to(message.seq);
    };
    return el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'pin-line', on: { click: open } },
        el(
          'span',
          { class: 'line' },
          el('span', { class: 'title' }, name),
          el('time', {}, list_time(message.time)),
        ),
        el('span', { class: 'pin-text', dir: 'auto' }, snippet(message, 300)),
      ),
      unpin ? icon_button('unpin', 'Unpin', () => unpin(message)) : null,
    );
  };
  const off = watch(() => {
    const pinned = actions.pinned();
    if (pinned.length === 0) return window_.close();
    const now = JSON.stringify(
      pinned.map(({ seq, text, sender }) => [seq, text, client.name(sender)]),
    );
    if (list.dataset['shown'] === now) return;
    list.dataset['shown'] = now;
    list.replaceChildren(...pinned.map(line).reverse());
  });
  window_.addEventListener('close', off);
}
