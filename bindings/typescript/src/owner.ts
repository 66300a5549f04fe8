// owner.ts: what the parts of the core (sender, receipts, people) need of the core around them.
import type { ConversationState } from './conversation.js';
import type { ParleyError } from './errors.js';
import type { Call, CallResult, Emitted } from './inputs.js';
import type { Answer, Operation } from './operations.js';
import type { StorageBatch } from './storage.js';
import type { Timers } from './timers.js';
import type { ConversationId, Self, Seq } from './types.js';

export interface CoreOwner {
  readonly now: number;
  /** The link is open and greeted. */
  readonly ready: boolean;
  readonly self: Self | null;
  readonly timers: Timers;
  /** This turn's batch; everything in it is committed together. */
  readonly batch: StorageBatch;
  random(): number;
  /** Asks the engine; no answer when the link is lost first. */
  ask(operation: Operation, on: (answer: Answer) => void): void;
  emit(event: Emitted): void;
  problem(error: ParleyError): void;
  resolve(call: Call, result: CallResult): void;
  reject(call: Call, error: ParleyError): void;
  conversation(id: ConversationId): ConversationState | null;
  states(): ConversationState[];
  /** Events up to `head` are not read here. */
  passed_over(state: ConversationState, head: Seq): void;
  /** The conversation is gone for this user: its open messages have failed. */
  abandon(state: ConversationState, error: ParleyError): void;
  /** The row of `id` joins this turn's batch. */
  touch(id: ConversationId): void;
  /** Runs when this turn's batch is durable, or has failed. */
  when_stored(done: () => void, failed?: (message: string) => void): void;
}
