// index.ts: what the package offers.
export { ParleyClient } from './client.js';
export type { ClientOptions, HistoryRange } from './client.js';
export type { ConversationView } from './conversation.js';
export { ParleyError } from './errors.js';
export type { ErrorCode } from './errors.js';
export { IndexedDbStorage } from './indexeddb_storage.js';
export type { ClientEvents, LinkState } from './inputs.js';
export { MemoryStorage } from './memory_storage.js';
export { MessageStream } from './message_stream.js';
export { MessageFold, forget, isChange, redact } from './messages.js';
export type { Message, MessageReaction } from './messages.js';
export type {
  ClientStorage,
  StorageBatch,
  StoredConversation,
  StoredMeta,
  StoredState,
} from './storage.js';
export type * from './types.js';
export type { WebSocketConstructor, WebSocketLike } from './websocket.js';
