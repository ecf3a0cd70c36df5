/** Chooses a user or a group of the org. */
import { User, Users } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { type FoundSubject, nameOf, type Subject, useSubjects } from '../api/subjects.js';
import { useOrg } from '../state/org.js';
import { Combobox, type Option } from './combobox.js';

interface SubjectFieldProps {
  readonly label: string;
  readonly help?: string;
  readonly error?: string | undefined;
  readonly subject: Subject | undefined;
  /** Left out: users and groups. */
  readonly scope?: Subject['scope'];
  readonly onChange: (subject: Subject | undefined) => void;
  /** Why a user or group cannot be chosen. */
  readonly refused: (found: FoundSubject) => string | undefined;
}

const keyOf = ({ scope, id }: Pick<Subject, 'scope' | 'id'>): string => `${scope}:${id}`;

export function SubjectField(props: SubjectFieldProps) {
  const { label, help, error, subject, onChange, refused, scope } = props;
  const { id: org } = useOrg();
  const [text, setText] = useState(subject?.name ?? '');
  const { items, outdated } = useSubjects(org, subject === undefined ? text : undefined);
  const found = scope === undefined ? items : items?.filter((one) => one.scope === scope);
  const choose = ({ id }: Option): void => {
    const chosen = found?.find((one) => keyOf(one) === id);
    if (chosen === undefined) return;
    const name = nameOf(chosen);
    setText(name);
    onChange({ scope: chosen.scope, id: chosen.id, name });
  };
  const type = (typed: string): void => {
    setText(typed);
    onChange(undefined);
  };
  return (
    <Combobox
      label={label}
      help={help}
      error={error}
      text={text}
      onText={type}
      options={found?.map((one) => optionOf(one, refused(one)))}
      outdated={outdated}
      onChoose={choose}
    />
  );
}

function optionOf(found: FoundSubject, disabled: string | undefined): Option {
  return {
    id: keyOf(found),
    label: nameOf(found),
    detail: (found.scope === 'user' && found.email) || found.id,
    icon: found.scope === 'user' ? User : Users,
    ...(disabled === undefined ? {} : { disabled }),
  };
}
