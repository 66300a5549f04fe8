// dialog.ts: a window over the page, and forms in it that wait for the link.
import type { ParleyClient } from '@parley/client';
import { el, icon_button } from './dom.js';
import { in_words } from './words.js';

let opened = 0;

/** A modal window that removes itself when it closes. */
export function dialog(title: string, ...content: Node[]): HTMLDialogElement {
  const id = `dialog-${(opened += 1)}`;
  const heading = el('h2', { id }, title);
  const window_ = el('dialog', { 'aria-labelledby': id });
  const close = icon_button('close', 'Close', () => window_.close());
  window_.append(el('header', {}, heading, close), ...content);
  window_.addEventListener('close', () => {
    window_.remove();
    // The focus is back where it was: of use to a keyboard, and a stray ring to a finger.
    const back = document.activeElement;
    if (back instanceof HTMLButtonElement && matchMedia('(pointer: coarse)').matches) back.blur();
  });
  window_.addEventListener('click', (event) => {
    if (event.target === window_) window_.close(); // the backdrop
  });
  document.body.append(window_);
  window_.showModal();
  return window_;
}

export function field(label: string, input: HTMLElement, hint = ''): HTMLElement {
  return el(
    'label',
    { class: 'field' },
    el('span', {}, label),
    input,
    hint === '' ? null : el('small', {}, hint),
  );
}

export function text_input(name: string, placeholder: string, required = true): HTMLInputElement {
  return el('input', {
    type: 'text',
    name,
    placeholder,
    required,
    autocomplete: 'off',
    autocapitalize: 'none',
  });
}

/** `options`: value and label. */
export function select<Value extends string | number>(
  name: string,
  options: readonly (readonly [Value, string])[],
  chosen: Value,
): HTMLSelectElement {
  const element = el('select', { name });
  for (const [value, label] of options)
    element.append(el('option', { value: String(value), selected: value === chosen }, label));
  return element;
}

const waiting_text = 'Not connected: this will be done when the connection is back.';

/** Whether the link was up, or came up, before `given_up`. */
function connected(client: ParleyClient, given_up: AbortSignal): Promise<boolean> {
  if (client.state === 'ready') return Promise.resolve(true);
  return new Promise((resolve) => {
    const off = client.on('state', ({ state }) => {
      if (state === 'ready') end(true);
    });
    const end = (up: boolean): void => {
      off();
      resolve(up);
    };
    given_up.addEventListener('abort', () => end(false));
  });
}

/**
 * A form whose submit runs `work` once at a time; `done` with its result, if the window is still
 * open. Without a link it waits for one, and is not done at all when the window is closed meanwhile.
 */
export function form<Result>(
  client: ParleyClient,
  button: string,
  fields: Node[],
  work: () => Promise<Result>,
  done: (result: Result, window_: HTMLDialogElement) => void,
): HTMLFormElement {
  const submit = el('button', { type: 'submit', class: 'button' }, button);
  const note = el('p', { class: 'problem', role: 'alert', hidden: true });
  const element = el('form', {}, ...fields, note, submit);
  const tell = (text: string, tone = 'problem'): void => {
    note.className = tone;
    note.textContent = text;
    note.hidden = text === '';
  };
  const run = async (window_: HTMLDialogElement): Promise<void> => {
    const closed = new AbortController();
    window_.addEventListener('close', () => closed.abort());
    if (client.state !== 'ready') tell(waiting_text, 'waits');
    if (!(await connected(client, closed.signal))) return;
    const lost = client.on('state', ({ state }) => {
      if (state !== 'ready') tell(waiting_text, 'waits');
    });
    try {
      const result = await work();
      tell('');
      if (!closed.signal.aborted) done(result, window_);
    } catch (error) {
      tell(in_words(error));
    } finally {
      lost();
    }
  };
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    const window_ = element.closest('dialog');
    if (!window_ || submit.disabled) return;
    submit.disabled = true;
    void run(window_).finally(() => {
      submit.disabled = false;
    });
  });
  element.addEventListener('input', () => {
    if (!submit.disabled) tell('');
  });
  return element;
}

/** Asks before `work` is done; `tone`: whether it takes something away. */
export function confirm_dialog(
  title: string,
  text: string,
  yes: string,
  work: () => void,
  tone: 'plain' | 'danger' = 'plain',
): void {
  const run = (): void => {
    window_.close();
    work();
  };
  const cancel = (): void => window_.close();
  const look = tone === 'danger' ? 'button danger filled' : 'button';
  const go = el('button', { type: 'button', class: look, on: { click: run } }, yes);
  const window_ = dialog(
    title,
    el('p', { class: 'subtitle wrap' }, text),
    el(
      'div',
      { class: 'buttons' },
      el('button', { type: 'button', class: 'button quiet', on: { click: cancel } }, 'Cancel'),
      go,
    ),
  );
  go.focus();
}
