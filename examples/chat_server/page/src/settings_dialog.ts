// settings_dialog.ts: what those who manage a conversation may set of it.
import type { ConversationId, ParleyClient } from '@parley/client';
import { dialog, field, form, text_input } from './dialog.js';

export function settings_dialog(client: ParleyClient, id: ConversationId): void {
  const view = client.conversation(id);
  if (!view) return;
  const title = text_input('title', 'Weekend trip');
  title.value = view.title;
  dialog(
    'Settings',
    form(
      client,
      'Save',
      [field(`Name of the ${view.kind}`, title)],
      async () => {
        const wanted = title.value.trim();
        if (wanted !== view.title) await client.setTitle(id, wanted);
      },
      (_, window_) => window_.close(),
    ),
  );
  title.select();
}
