// device.ts: who this window is. For the demo every window is a device of its own, so that two
// windows can sign in
// as different people: name and device id live in sessionStorage, which a reload keeps and another
// window does not see.
// A real app would keep one device per installation, in localStorage or in the database itself.

const name_key = 'parley.name';
const device_key = 'parley.device';
const left_key = 'parley.left';
const drafts_key = 'parley.drafts';
const presence_key = 'parley.presence';
const prefix = 'parley ';
const forget_after_ms = 7 * 86_400_000;

export function signed_in_name(): string | null {
  return sessionStorage.getItem(name_key);
}

export function remember_name(name: string): void {
  sessionStorage.setItem(name_key, name);
}

/** Signed out for good: the next sign-in is of another device. */
export function forget_device(): void {
  sessionStorage.removeItem(device_key);
}

export function forget_name(): void {
  sessionStorage.removeItem(name_key);
  sessionStorage.removeItem(left_key);
  sessionStorage.removeItem(drafts_key);
  sessionStorage.removeItem(presence_key);
}

/**
 * The database of this window and user. A duplicated window gets a copy of sessionStorage: two
 * clients would share one
 * outbox, so the copy takes an id of its own (where the browser has locks, which it has on
 * localhost and https).
 */
export async function database_name(name: string): Promise<string> {
  let device = sessionStorage.getItem(device_key) ?? fresh_id();
  if (!(await hold(device))) {
    device = fresh_id();
    await hold(device);
  }
  sessionStorage.setItem(device_key, device);
  const database = `${prefix}${device} ${name}`;
  localStorage.setItem(database, String(Date.now()));
  return database;
}

function fresh_id(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

/** False when another window holds the id. The lock is kept as long as this page lives. */
function hold(device: string): Promise<boolean> {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    void locks.request(`${prefix}${device}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => undefined);
    });
  });
}

/** Databases of windows that were closed long ago. */
export function forget_old_devices(): void {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(prefix)) continue;
    if (Date.now() - Number(localStorage.getItem(key)) < forget_after_ms) continue;
    localStorage.removeItem(key);
    indexedDB.deleteDatabase(key);
  }
}

// ---- Channels that were left ----

export interface LeftChannel {
  id: string;
  title: string;
}

/** So that one who left a channel finds the way back, as long as this window lives. */
export function left_channels(): LeftChannel[] {
  return JSON.parse(sessionStorage.getItem(left_key) ?? '[]') as LeftChannel[];
}

export function remember_left(channel: LeftChannel): void {
  const others = left_channels().filter(({ id }) => id !== channel.id);
  sessionStorage.setItem(left_key, JSON.stringify([...others, channel].slice(-3)));
}

// ---- What is not sent ----

export interface Draft {
  text: string;
  /** The draft that the user's list had when the text was begun. */
  listed: string;
}

export function stored_drafts(): Map<string, Draft> {
  return new Map(JSON.parse(sessionStorage.getItem(drafts_key) ?? '[]') as [string, Draft][]);
}

export function store_drafts(drafts: ReadonlyMap<string, Draft>): void {
  try {
    sessionStorage.setItem(drafts_key, JSON.stringify([...drafts]));
  } catch {
    // No room: the text lives as long as the page.
  }
}

// ---- How one is, as long as this window lives ----

export type OwnPresence = 'online' | 'away' | 'busy' | 'invisible';

export function stored_presence(): OwnPresence {
  return (sessionStorage.getItem(presence_key) as OwnPresence | null) ?? 'online';
}

export function store_presence(state: OwnPresence): void {
  sessionStorage.setItem(presence_key, state);
}
