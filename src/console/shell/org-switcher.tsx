/** The name of the org, and the way to another one for tokens that reach several. */
import { Building2, ChevronsUpDown } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api } from '../api/client.js';
import { useQuery } from '../api/query.js';
import type { Found } from '../api/subjects.js';
import { Combobox, type Option } from '../forms/combobox.js';
import { texts } from '../i18n/index.js';
import { fillPath, navigate } from '../router.js';
import { type SessionOrg, session } from '../state/session.js';
import { Dialog } from '../ui/dialog.js';

interface OrgSwitcherProps {
  readonly org: string;
  readonly onOpen: () => void;
}

export function OrgSwitcher({ org, onOpen }: OrgSwitcherProps) {
  const orgs = session.value?.orgs ?? [];
  const name = orgs.find(({ id }) => id === org)?.name || org;
  if (orgs.length < 2)
    return (
      <div class="org-name truncate" title={name}>
        {name}
      </div>
    );
  return (
    <button
      type="button"
      class="button org-switch"
      aria-label={texts.value.shell.switchOrg(name)}
      onClick={onOpen}
    >
      <span class="truncate">{name}</span>
      <ChevronsUpDown size={16} aria-hidden="true" />
    </button>
  );
}

const FOUND_MAX = 20;

/** Not within the sidebar: where that is hidden, so would be the dialog. */
export function OrgDialog({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const { shell } = texts.value;
  const { items, outdated } = useOrgs(text.trim());
  const go = ({ id }: Option): void => {
    onClose();
    navigate(fillPath('/orgs/:org/overview', { org: id }));
  };
  return (
    <Dialog title={shell.orgs} onClose={onClose} foot={<p class="small muted">{shell.paletteHelp}</p>}>
      <Combobox
        label={shell.orgName}
        text={text}
        onText={setText}
        options={items?.map(optionOf)}
        outdated={outdated}
        onChoose={go}
        inline
      />
    </Dialog>
  );
}

function optionOf({ id, name }: SessionOrg): Option {
  return { id, label: name || id, detail: id, icon: Building2 };
}

/** The orgs of the session; a token that reaches more of them also finds others, by their id. */
function useOrgs(q: string): Found<SessionOrg> {
  const { orgs = [], moreOrgs = false } = session.value ?? {};
  const isAsked = moreOrgs && q !== '';
  const { data, current } = useQuery({
    key: isAsked ? `orgs ${q}` : undefined,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs', { params: { query: { q, pageSize: FOUND_MAX } }, ...options }),
  });
  if (isAsked) {
    const items = data?.items.map((org) => ({ id: org.id, name: 'name' in org ? org.name : '' }));
    return { items, outdated: !current };
  }
  const sought = q.toLowerCase();
  const items = orgs.filter(({ id, name }) => `${name} ${id}`.toLowerCase().includes(sought));
  return { items, outdated: false };
}
