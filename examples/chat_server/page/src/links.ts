// links.ts: addresses that lead into conversations: `#c=<id>` to one of one's own, `#join=<id>` to an open
// one, `#invite=<token>` to what the token opens.
import type { ConversationId } from '@parley/client';
import { dialog } from './dialog.js';
import { el } from './dom.js';
import { toast } from './toasts.js';

const digits = { c: 32, join: 32, invite: 64 } as const;

/** What the address of the page names; null: nothing of that, or not all of it. */
export function named_in_address(what: keyof typeof digits): string | null {
  return new RegExp(`^#${what}=([0-9a-f]{${digits[what]}})$`).exec(location.hash)?.[1] ?? null;
}

/** The address names something, whole or not. */
export function is_link(): boolean {
  return /^#(c|join|invite)=/.test(location.hash);
}

/** What somebody has typed or pasted: a link, a token, or the id of a channel. */
export function read_link(text: string): { token: string } | { id: ConversationId } | null {
  const end = /([0-9a-f]{64}|[0-9a-f]{32})\s*$/.exec(text.trim().toLowerCase())?.[1];
  if (end === undefined) return null;
  return end.length === digits.invite ? { token: end } : { id: end };
}

function link(what: keyof typeof digits, value: string): string {
  return `${location.origin}${location.pathname}#${what}=${value}`;
}

async function share(address: string, who: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(address);
    toast(`The link is copied. ${who}`);
  } catch {
    const value = { type: 'text', readonly: true, value: address, 'aria-label': 'Link' };
    const input = el('input', value);
    dialog('Link', el('p', { class: 'subtitle wrap' }, who), input); // to be copied by hand
    input.select();
  }
}

export function share_conversation(id: ConversationId): Promise<void> {
  return share(link('join', id), 'Whoever opens it joins, or asks to be let in.');
}

export function share_invite(token: string): Promise<void> {
  return share(link('invite', token), 'Whoever opens it is in.');
}
