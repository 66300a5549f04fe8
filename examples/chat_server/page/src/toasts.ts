// toasts.ts: short notes at the edge of the screen: what went wrong, and what was done.
import { el } from './dom.js';

const shown_ms = 6_000;

export function toast(text: string, tone: 'info' | 'error' = 'info'): void {
  const note = el('div', { class: `toast ${tone}` }, text);
  const gone = (): void => note.remove();
  note.addEventListener('click', gone);
  document.getElementById('toasts')!.append(note);
  setTimeout(gone, shown_ms);
}

export function toast_error(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  toast(`${what}: ${reason}`, 'error');
}
