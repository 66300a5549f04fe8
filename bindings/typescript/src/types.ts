// types.ts: the nouns of the engine as the client sees them; ids are strings, seqs numbers, times
// milliseconds since 1970.
export type * from './types/conversation.js';
export type * from './types/event.js';
export type * from './types/ids.js';
export type * from './types/list.js';
export type * from './types/message.js';
export type * from './types/sending.js';
export type * from './types/user.js';
export { no_extras } from './types/message.js';
