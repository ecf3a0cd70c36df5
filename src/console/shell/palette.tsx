/** The palette: goes to a page, a user or a group by its name. */
import { User, Users } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { type FoundSubject, nameOf, useSubjects } from '../api/subjects.js';
import { Combobox, type Option } from '../forms/combobox.js';
import { texts } from '../i18n/index.js';
import { PAGES } from '../pages.js';
import { fillPath, navigate } from '../router.js';
import { may } from '../state/session.js';
import { Dialog } from '../ui/dialog.js';

interface Destination extends Option {
  readonly to: string;
}

interface PaletteProps {
  readonly org: string;
  readonly onClose: () => void;
}

export function Palette({ org, onClose }: PaletteProps) {
  const [text, setText] = useState('');
  const { shell } = texts.value;
  const q = text.trim();
  const found = useSubjects(org, q === '' ? undefined : q);
  const subjects = q === '' ? [] : (found.items ?? []).map((one) => destinationOf(org, one));
  const pages = pagesNamed(org, q);
  const destinations = [...pages, ...subjects];
  const go = ({ id }: Option): void => {
    const destination = destinations.find((one) => one.id === id);
    onClose();
    if (destination) navigate(destination.to);
  };
  return (
    <Dialog title={shell.search} onClose={onClose} foot={<p class="small muted">{shell.paletteHelp}</p>}>
      <Combobox
        label={shell.paletteLabel}
        text={text}
        onText={setText}
        options={destinations}
        outdated={found.outdated && pages.length === 0}
        onChoose={go}
        inline
      />
    </Dialog>
  );
}

function pagesNamed(org: string, q: string): Destination[] {
  const pages = PAGES.flatMap((page) => {
    if (page.nav === undefined || !may(page.operation)) return [];
    const label = page.title(texts.value);
    return [{ id: `page:${page.id}`, label, icon: page.nav.icon, to: fillPath(page.path, { org }) }];
  });
  return pages.filter(({ label }) => label.toLowerCase().includes(q.toLowerCase()));
}

function destinationOf(org: string, found: FoundSubject): Destination {
  const { scope, id } = found;
  return {
    id: `${scope}:${id}`,
    label: nameOf(found),
    detail: id,
    icon: scope === 'user' ? User : Users,
    to: fillPath(`/orgs/:org/${scope}s/:id`, { org, id }),
  };
}
