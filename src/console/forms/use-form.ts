/** A form: values, what is wrong with them, a draft that survives a closed dialog or a reload, and conflicts with another admin. */
import { useRef, useState } from 'preact/hooks';
import { type ApiProblem, problemIn } from '../api/problem.js';
import { store, stored } from '../state/storage.js';

/** What fields hold: texts, also for numbers, so that nothing typed is changed. */
export type Values = Readonly<Record<string, string>>;

export interface Version<V extends Values> {
  readonly values: V;
  readonly etag: string;
}

interface FormOptions<V extends Values> {
  readonly initial: V;
  /** Names the draft; without it nothing is kept. */
  readonly draft?: string;
  /** What is wrong, by field, before the API is asked. */
  readonly check: (values: V) => Partial<Record<keyof V, string>>;
  /** Writes the values. `etag`: the version that they were edited from, for `If-Match`. False: nothing is written yet. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most forms have nothing to return.
  readonly save: (values: V, etag: string | undefined) => Promise<void | false>;
  readonly etag?: string;
  /** The field of the form for a member of the API that has another name. */
  readonly fields?: Readonly<Record<string, keyof V & string>>;
  /** Reads the values again, after another admin has changed them. */
  readonly reload?: () => Promise<Version<V>>;
}

export interface Form<V extends Values> {
  readonly values: V;
  readonly errors: Partial<Record<keyof V, string>>;
  /** What the API refused, if it is not about a field of the form. */
  readonly problem: ApiProblem | undefined;
  /** The version of another admin, if it was saved meanwhile. */
  readonly conflict: Version<V> | undefined;
  readonly busy: boolean;
  readonly dirty: boolean;
  readonly set: (changes: Partial<V>) => void;
  readonly submit: () => Promise<void>;
  /** Settles a conflict: saves the own values over the others, or takes the others into the form. */
  readonly resolve: (choice: 'mine' | 'theirs') => Promise<void>;
  /** Forgets what was typed. */
  readonly discard: () => void;
}

interface State<V extends Values> {
  readonly values: V;
  readonly errors: Partial<Record<keyof V, string>>;
  readonly problem: ApiProblem | undefined;
  readonly conflict: Version<V> | undefined;
  readonly busy: boolean;
}

export function useForm<V extends Values>(options: FormOptions<V>): Form<V> {
  const start = useRef(options.initial);
  const etag = useRef(options.etag);
  const [state, setState] = useState<State<V>>(() => ({
    values: draftOf(options),
    errors: {},
    problem: undefined,
    conflict: undefined,
    busy: false,
  }));
  // What was set last, also before it is rendered: a callback of an earlier rendering must not bring back what the form had then.
  const latest = useRef(state);
  const update = (changes: Partial<State<V>>): void => {
    latest.current = { ...latest.current, ...changes };
    setState(latest.current);
  };
  const keep = (values: V | undefined): void => {
    if (options.draft !== undefined)
      store('session', `draft.${options.draft}`, values && JSON.stringify(values));
  };

  const set = (changes: Partial<V>): void => {
    const values = { ...latest.current.values, ...changes };
    const errors = { ...latest.current.errors };
    for (const name of Object.keys(changes)) delete errors[name];
    keep(values);
    update({ values, errors, problem: undefined });
  };

  const save = async (values: V): Promise<void> => {
    if (latest.current.busy) return;
    const errors = options.check(values);
    if (Object.keys(errors).length > 0) return update({ errors });
    update({ busy: true, errors: {}, problem: undefined });
    try {
      const written = await options.save(values, etag.current);
      if (written !== false) keep(undefined);
      update({ busy: false });
    } catch (error) {
      update({ busy: false, ...(await failureOf(problemIn(error), options)) });
    }
  };

  const resolve = async (choice: 'mine' | 'theirs'): Promise<void> => {
    const theirs = latest.current.conflict;
    if (theirs === undefined) return;
    etag.current = theirs.etag;
    start.current = theirs.values;
    const values = choice === 'mine' ? latest.current.values : theirs.values;
    update({ conflict: undefined, values });
    if (choice === 'mine') await save(values);
    else keep(undefined);
  };

  return {
    ...state,
    dirty: Object.entries(state.values).some(([name, value]) => value !== start.current[name]),
    set,
    submit: () => save(latest.current.values),
    resolve,
    discard: () => keep(undefined),
  };
}

function draftOf<V extends Values>({ initial, draft }: FormOptions<V>): V {
  const text = draft === undefined ? undefined : stored('session', `draft.${draft}`);
  return text === undefined ? initial : { ...initial, ...(JSON.parse(text) as Partial<V>) };
}

async function failureOf<V extends Values>(
  problem: ApiProblem,
  { reload, initial, fields = {} }: FormOptions<V>,
): Promise<Partial<State<V>>> {
  if (problem.code === 'version-stale' && reload !== undefined) {
    try {
      return { conflict: await reload() };
    } catch (error) {
      return { problem: problemIn(error) };
    }
  }
  const errors: Partial<Record<keyof V, string>> = {};
  let isAllKnown = problem.fields.length > 0;
  for (const { field, problem: text } of problem.fields) {
    const name = fields[field] ?? field;
    if (name in initial) errors[name as keyof V] = text;
    else isAllKnown = false;
  }
  return { errors, problem: isAllKnown ? undefined : problem };
}
