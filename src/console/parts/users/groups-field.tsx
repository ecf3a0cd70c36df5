/** The groups of a user: those chosen, each with a button to leave it, and a search to add one. */
import { Users, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { Combobox } from '../../forms/combobox.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { useGroups } from './user.js';

interface GroupsFieldProps {
  /** Ids. */
  readonly groups: readonly string[];
  readonly error?: string | undefined;
  readonly onChange: (groups: readonly string[]) => void;
}

const FOUND_MAX = 20;

export function GroupsField({ groups, error, onChange }: GroupsFieldProps) {
  const { profile, columns } = texts.value.users;
  const names = useGroups();
  const [text, setText] = useState('');
  const found = useFoundGroups(text);
  const options = found.data?.items
    .filter(({ id }) => !groups.includes(id))
    .map((group) => ({ id: group.id, label: nameOf(group), detail: group.id, icon: Users }));
  const add = (id: string): void => {
    setText('');
    onChange([...groups, id]);
  };
  return (
    <div class="field">
      {groups.length > 0 && (
        <ul class="row" aria-label={columns.groups}>
          {groups.map((id) => (
            <li key={id}>
              <button
                type="button"
                class="chip"
                aria-label={profile.removeGroup(names.get(id) ?? id)}
                onClick={() => onChange(groups.filter((one) => one !== id))}
              >
                {names.get(id) ?? id}
                <X size={14} aria-hidden="true" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Combobox
        label={profile.addGroup}
        help={profile.groupsHelp}
        error={error}
        text={text}
        onText={setText}
        options={options}
        outdated={!found.current}
        onChoose={({ id }) => add(id)}
      />
    </div>
  );
}

function useFoundGroups(text: string) {
  const { id: org } = useOrg();
  const q = text.trim();
  const query = { pageSize: FOUND_MAX, sort: 'name', ...(q === '' ? {} : { q }) };
  return useQuery({
    key: `add-group ${org} ${q}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/groups', { params: { path: { org }, query }, ...options }),
  });
}
