// forward_dialog.ts: to whom a message is to be forwarded.
import type { ConversationId, ConversationView, ParleyClient, Seq } from '@parley/client';
import { dialog } from './dialog.js';
import { el, reconcile } from './dom.js';
import { avatar, conversation_title } from './format.js';
import { may } from './rights.js';
import { toast, toast_error } from './toasts.js';

const listed = 50;

/** `open` leads to where it was forwarded. */
export function forward_dialog(
  client: ParleyClient,
  of: { conversation: ConversationId; seq: Seq },
  open: (id: ConversationId) => void,
): void {
  const filter = el('input', {
    type: 'search',
    placeholder: 'Find a conversation',
    'aria-label': 'Find a conversation',
    autocomplete: 'off',
  });
  const list = el('ul', { class: 'members choices' });
  const send = (view: ConversationView): void => {
    window_.close();
    const title = conversation_title(client, view);
    client.send(view.conversation, '', { forward: of }).then(
      () =>
        toast(`Forwarded to ${title}.`, 'info', 'forwarded', {
          label: 'Show',
          run: () => open(view.conversation),
        }),
      (error: unknown) => toast_error('Not forwarded', error),
    );
  };
  const line = (view: ConversationView): HTMLElement =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', class: 'choice', on: { click: () => send(view) } },
        avatar(conversation_title(client, view), view.kind),
        el('span', { class: 'title', dir: 'auto' }, conversation_title(client, view)),
      ),
    );
  const draw = (): void => {
    const wanted = filter.value.trim().toLowerCase();
    const views = client
      .conversations()
      .filter((view) => may(view, 'send'))
      .filter((view) => conversation_title(client, view).toLowerCase().includes(wanted));
    reconcile(
      list,
      views.slice(0, listed).map((view) => ({
        key: view.conversation,
        signature: conversation_title(client, view),
        build: () => line(view),
      })),
    );
  };
  filter.addEventListener('input', draw);
  const window_ = dialog('Forward to', filter, list);
  const off = client.on('names', draw);
  window_.addEventListener('close', off);
  draw();
  filter.focus();
}
