// top_notes.ts: what stands over the messages: that older ones load, wait or failed, or that there are none.
import { el } from './dom.js';
import type { EventWindow } from './event_window.js';

export interface TopState {
  window: EventWindow;
  /** Something is on its way. */
  unsent: boolean;
  offline: boolean;
  kind: string;
  again: () => void;
}

function state_of({ window, unsent, offline }: TopState): string {
  if (window.loading !== null && window.loading !== 'newer') return offline ? 'offline' : 'loading';
  if (window.failed !== null && window.failed !== 'newer') return 'failed';
  return window.loaded && window.events.length === 0 && !unsent ? 'empty' : 'none';
}

export function render_top(parent: HTMLElement, top: TopState): void {
  const state = state_of(top);
  if (parent.dataset['state'] === state) return;
  parent.dataset['state'] = state;
  const { loaded } = top.window;
  const content = {
    none: () => '',
    loading: () => el('div', { class: 'spinner', 'aria-label': 'Loading' }),
    offline: () =>
      el(
        'p',
        { class: loaded ? 'waits' : 'empty' },
        `${loaded ? 'Older' : 'The'} messages will load when you are connected.`,
      ),
    failed: () =>
      el('button', { type: 'button', class: 'quiet', on: { click: top.again } }, 'Load again'),
    empty: () =>
      el(
        'p',
        { class: 'empty' },
        top.kind === 'channel'
          ? 'You see what is written here from now on.'
          : 'Nothing written yet.',
        el('br'),
        'Say hello.',
      ),
  }[state]!;
  parent.replaceChildren(content());
}
