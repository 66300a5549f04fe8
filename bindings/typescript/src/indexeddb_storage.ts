// indexeddb_storage.ts: the browser's storage; one database per user and device, one transaction
// per batch.
import { ParleyError } from './errors.js';
import { forget, redact } from './messages.js';
import type {
  ClientStorage,
  StorageBatch,
  StoredConversation,
  StoredMeta,
  StoredState,
} from './storage.js';
import type { ChatEvent, ConversationId, OutboxItem, Seq, UserName } from './types.js';

const schema_version = 1;
const blocked_patience = 5_000; // ms
const stores = ['meta', 'conversations', 'outbox', 'events', 'names'] as const;

interface EventRow {
  conversation: ConversationId;
  seq: Seq;
  event: ChatEvent;
}

function failed(what: string, cause: unknown): ParleyError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ParleyError('store_failed', `IndexedDB: ${what}: ${reason}`);
}

function wait<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failed('a request failed', request.error));
  });
}

/**
 * Waits for the database. Pages of this package let go of an older version when a newer one asks;
 * one that does not within `blocked_patience` is told of.
 */
function opened(request: IDBOpenDBRequest): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let given_up = false;
    request.onblocked = () => {
      timer = setTimeout(() => {
        given_up = true;
        reject(new ParleyError('unavailable', 'IndexedDB: another tab holds an older version open'));
      }, blocked_patience);
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      if (given_up) return request.result.close();
      resolve(request.result);
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(failed('the database cannot be opened', request.error));
    };
  });
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failed('a transaction was aborted', transaction.error));
    transaction.onerror = () => reject(failed('a transaction failed', transaction.error));
  });
}

function upgrade(database: IDBDatabase): void {
  database.createObjectStore('meta');
  database.createObjectStore('conversations', { keyPath: 'conversation' });
  database.createObjectStore('outbox', { keyPath: ['conversation', 'local'] });
  database.createObjectStore('events', { keyPath: ['conversation', 'seq'] });
  database.createObjectStore('names', { keyPath: 'user' });
}

export class IndexedDbStorage implements ClientStorage {
  private replaced_ = false;

  private constructor(private readonly database_: IDBDatabase) {
    // Another tab has a newer version of the page, or deletes the database: it waits for this one.
    database_.onversionchange = () => {
      this.replaced_ = true;
      database_.close();
    };
  }

  /** Opens (or creates) the database `name`; `factory` defaults to the browser's. */
  static async open(
    name: string,
    factory: IDBFactory = globalThis.indexedDB,
  ): Promise<IndexedDbStorage> {
    if (!factory) {
      throw new ParleyError('unsupported', 'this environment has no IndexedDB; use MemoryStorage');
    }
    const request = factory.open(name, schema_version);
    request.onupgradeneeded = () => upgrade(request.result);
    return new IndexedDbStorage(await opened(request));
  }

  private begin(
    names: readonly string[],
    mode: IDBTransactionMode,
    options?: IDBTransactionOptions,
  ): IDBTransaction {
    if (this.replaced_) {
      throw new ParleyError('store_failed', 'IndexedDB: a newer page took the database; reload');
    }
    return this.database_.transaction([...names], mode, options);
  }

  async load(): Promise<StoredState> {
    const transaction = this.begin(stores, 'readonly');
    const [meta, conversations, outbox, names] = await Promise.all([
      wait(transaction.objectStore('meta').get('meta') as IDBRequest<StoredMeta | undefined>),
      wait(transaction.objectStore('conversations').getAll() as IDBRequest<StoredConversation[]>),
      wait(transaction.objectStore('outbox').getAll() as IDBRequest<OutboxItem[]>),
      wait(transaction.objectStore('names').getAll() as IDBRequest<UserName[]>),
    ]);
    return { meta: meta ?? null, conversations, outbox, names };
  }

  async commit(batch: StorageBatch): Promise<void> {
    // A lost cursor is fetched again; a message that was sent must not be forgotten.
    const durability = batch.outbox ? 'strict' : 'relaxed';
    const transaction = this.begin(stores, 'readwrite', { durability });
    const done = finished(transaction);
    try {
      this.write(transaction, batch);
    } catch (error) {
      transaction.abort();
      await done.catch(() => undefined);
      throw failed('a batch was refused', error);
    }
    await done;
  }

  private write(transaction: IDBTransaction, batch: StorageBatch): void {
    const store = (name: (typeof stores)[number]): IDBObjectStore => transaction.objectStore(name);
    const all = (id: ConversationId): IDBKeyRange => IDBKeyRange.bound([id], [id, []]);
    if (batch.meta) store('meta').put(batch.meta, 'meta');
    for (const name of batch.names ?? []) store('names').put(name);
    for (const id of batch.removedConversations ?? []) {
      store('conversations').delete(id);
      store('outbox').delete(all(id));
      store('events').delete(all(id));
    }
    for (const row of batch.conversations ?? []) store('conversations').put(row);
    for (const item of batch.removedOutbox ?? [])
      store('outbox').delete([item.conversation, item.local]);
    for (const item of batch.outbox ?? []) store('outbox').put(item);
    for (const drop of batch.dropEvents ?? []) {
      const below = drop.below;
      store('events').delete(
        below === undefined
          ? all(drop.conversation)
          : IDBKeyRange.bound([drop.conversation], [drop.conversation, below], false, true),
      );
    }
    for (const run of batch.events ?? []) {
      for (const event of run.events) {
        const row: EventRow = { conversation: run.conversation, seq: event.seq, event };
        store('events').put(row);
      }
    }
    const replace = (range: IDBKeyRange, by: (event: ChatEvent) => ChatEvent): void => {
      const found = store('events').openCursor(range);
      found.onsuccess = () => {
        const row = found.result?.value as EventRow | undefined;
        if (!row) return;
        const event = by(row.event);
        if (event !== row.event) found.result!.update({ ...row, event });
        found.result!.continue();
      };
    };
    for (const { conversation, seq, changed } of batch.deletedMessages ?? []) {
      const range = IDBKeyRange.bound([conversation, seq], [conversation, changed]);
      replace(range, (event) => redact(event, seq, changed));
    }
    for (const { conversation, seqs } of batch.deletedForMe ?? []) {
      const gone = new Set(seqs);
      const range = IDBKeyRange.bound([conversation, Math.min(...seqs)], [conversation, []]);
      replace(range, (event) => forget(event, gone));
    }
  }

  async events(
    conversation: ConversationId,
    from: Seq,
    before: Seq,
    limit: number,
  ): Promise<ChatEvent[]> {
    if (from >= before) return [];
    const transaction = this.begin(['events'], 'readonly');
    const first = Math.max(from, before - limit);
    const range = IDBKeyRange.bound([conversation, first], [conversation, before], false, true);
    const rows = await wait(
      transaction.objectStore('events').getAll(range) as IDBRequest<EventRow[]>,
    );
    return rows.map((row) => row.event);
  }

  async clear(): Promise<void> {
    const transaction = this.begin(stores, 'readwrite');
    for (const name of stores) transaction.objectStore(name).clear();
    await finished(transaction);
  }

  close(): void {
    this.database_.close();
  }
}
