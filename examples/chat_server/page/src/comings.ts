// comings.ts: when the members of a channel may be others. Groups and spaces have events of that. Of a
// channel the engine tells the presence of who comes, while it is small, and nothing of who goes.
import type { ConversationView, ParleyClient, UserId } from '@parley/client';

/** Several come at once. */
const settle_ms = 300;
const look_again_ms = 10_000;

/** Calls `load` then, until what is returned is called; `knows`: who is known to be a member. */
export function on_comings(
  client: ParleyClient,
  { conversation, kind }: ConversationView,
  knows: (user: UserId) => boolean,
  load: () => void,
): () => void {
  if (kind !== 'channel') return () => undefined;
  /** Looked up once: they may be somebody's peers and no members. */
  const strangers = new Set<UserId>();
  let settling = 0;
  const soon = (): void => {
    settling ||= window.setTimeout(() => {
      settling = 0;
      if (client.state === 'ready') load();
    }, settle_ms);
  };
  const offs = [
    client.on('presence', ({ users }) => {
      const fresh = users.filter(({ user }) => !knows(user) && !strangers.has(user));
      for (const { user } of fresh) strangers.add(user);
      if (fresh.length > 0) soon();
    }),
    client.on('online', (online) => {
      if (online.conversation === conversation && online.step !== 'full') soon();
    }),
  ];
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') soon();
  }, look_again_ms);
  return () => {
    for (const off of offs) off();
    clearInterval(timer);
    clearTimeout(settling);
  };
}
