/** What an answer says beside its usage that decides its price, wherever an API puts it. */
import { type Json, member } from './usage.js';

/** Members that say it; a JSON body too large to be parsed in whole is read for these too. */
export const FACT_MEMBERS = ['model', 'modelVersion'];

export class Facts {
  /** The models by which it says it was made. */
  readonly models = new Set<string>();

  read(document: Json): void {
    this.model(document.model);
    this.model(document.modelVersion);
    // In streams of Responses and of messages.
    this.model(member(document.response, 'model'));
    this.model(member(document.message, 'model'));
  }

  /** Azure begins with chunks that name none. */
  private model(name: unknown): void {
    if (typeof name === 'string' && name !== '') this.models.add(name);
  }
}
