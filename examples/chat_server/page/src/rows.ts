// rows.ts: one row of the message view as an element.
import { el, icon, rich_text } from './dom.js';
import { avatar, sender_color, time_of_day } from './format.js';
import type { MessageRow, Row, Tick } from './timeline.js';

export interface RowActions {
  retry: (local: string) => void;
  discard: (local: string) => void;
}

const tick_icons = {
  pending: ['clock', 'Not sent yet'],
  sent: ['check', 'Sent'],
  delivered: ['checks', 'Delivered'],
  read: ['checks', 'Read'],
  failed: ['alert', 'Not sent'],
} as const;

function tick_mark(tick: Tick): HTMLElement | null {
  if (tick === 'none') return null;
  const [name, label] = tick_icons[tick];
  return el('span', { class: `tick tick-${tick}`, title: label }, icon(name, label));
}

function message(row: MessageRow, actions: RowActions): HTMLElement {
  const classes = ['row', 'message', row.own ? 'own' : 'other'];
  if (row.first) classes.push('first');
  if (row.last) classes.push('last');
  if (row.tick === 'failed') classes.push('failed');
  const bubble = el('div', { class: 'bubble' });
  if (row.name !== '' && row.first) {
    bubble.append(sender_color(el('div', { class: 'sender' }, row.name), row.name));
  }
  bubble.append(
    el('span', { class: 'text', dir: 'auto' }, ...rich_text(row.text)),
    el('span', { class: 'meta' }, el('time', {}, time_of_day(row.time)), tick_mark(row.tick)),
  );
  const face =
    row.name === ''
      ? null
      : el('div', { class: 'face' }, row.last ? avatar(row.name, 'direct') : null);
  const column = el('div', { class: 'column' }, bubble);
  if (row.renumbered) {
    column.append(
      el('div', { class: 'note' }, 'This device was restored: the message may stand here twice.'),
    );
  }
  if (row.local !== '') {
    column.append(
      el(
        'div',
        { class: 'note problem' },
        `Not sent: ${row.problem} `,
        el(
          'button',
          { type: 'button', class: 'link', on: { click: () => actions.retry(row.local) } },
          'Try again',
        ),
        el(
          'button',
          { type: 'button', class: 'link', on: { click: () => actions.discard(row.local) } },
          'Discard',
        ),
      ),
    );
  }
  const element = el('div', { class: classes.join(' ') }, face, column);
  if (row.seq > 0) element.dataset['seq'] = String(row.seq);
  return element;
}

export function row_element(row: Row, actions: RowActions): HTMLElement {
  switch (row.kind) {
    case 'day':
      return el('div', { class: 'row day', role: 'separator' }, el('span', {}, row.text));
    case 'system':
      return el('div', { class: 'row system' }, row.text);
    case 'new':
      return el('div', { class: 'row new', role: 'separator' }, el('span', {}, row.text));
    case 'typing':
      return el(
        'div',
        { class: 'row typing', 'aria-label': row.text },
        el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')),
        el('span', {}, row.text),
      );
    case 'message':
      return message(row, actions);
  }
}
