// toasts.ts: short notes at the edge of the screen: what went wrong, and what was done.
import { el } from './dom.js';
import { in_words, not_connected } from './words.js';

const shown_ms = 6_000;

export interface ToastAction {
  label: string;
  run: () => void;
}

/** A note of the same `topic` takes the place of the one before. */
export function toast(
  text: string,
  tone: 'info' | 'error' = 'info',
  topic = text,
  action: ToastAction | null = null,
): void {
  const root = document.getElementById('toasts')!;
  const note = el('div', { class: `toast ${tone}`, 'data-topic': topic }, el('span', {}, text));
  const gone = (): void => {
    note.remove();
    if (root.childElementCount === 0 && root.matches(':popover-open')) root.hidePopover();
  };
  if (action) {
    const run = (): void => action.run();
    note.append(el('button', { type: 'button', class: 'link', on: { click: run } }, action.label));
  }
  note.addEventListener('click', gone);
  clear_toast(topic);
  root.append(note);
  // Over an open dialog: the last one shown is on top.
  if (root.matches(':popover-open')) root.hidePopover();
  root.showPopover();
  setTimeout(gone, shown_ms);
}

/** `what` cannot be done without the link; taken back when it is there again. */
export function toast_offline(what = ''): void {
  const text = what === '' ? not_connected : `${what}. ${not_connected}`;
  toast(text, 'error', what === '' ? text : what);
}

/** The link is there again. */
export function clear_offline(): void {
  for (const note of document.querySelectorAll<HTMLElement>('#toasts .toast'))
    if (note.textContent!.endsWith(not_connected)) note.remove();
}

/** What it said is over. */
export function clear_toast(topic: string): void {
  for (const note of document.querySelectorAll<HTMLElement>('#toasts .toast'))
    if (note.dataset['topic'] === topic) note.remove();
}

/** `what` failed, and why. */
export function toast_error(what: string, error: unknown): void {
  toast(`${what}: ${in_words(error)}`, 'error', what);
}
