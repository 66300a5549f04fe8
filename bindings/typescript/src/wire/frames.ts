// frames.ts: how each theme says which frames it spells.
import type { Answer, Operation } from '../operations.js';
import type { Json } from './json.js';

/** The fields beside type and request; operations without one are spelled as they are. */
export type Writers = {
  [Type in Operation['type']]?: (operation: Extract<Operation, { type: Type }>) => Json;
};

/** What a frame of that type says. */
export type Readers = {
  [Type in Answer['type']]?: (json: Json) => Omit<Extract<Answer, { type: Type }>, 'type'>;
};
