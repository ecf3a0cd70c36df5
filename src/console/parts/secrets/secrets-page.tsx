/** The frame that the pages of API keys and of admin tokens share: a search, the list, and a secret that is shown when it is created. */
import { Plus } from 'lucide-preact';
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { queryOf, setQuery } from '../../router.js';
import { Button } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { SecretDialog } from './secret-dialog.js';

interface CreateDialogProps {
  /** With the secret. */
  readonly onMade: (secret: string) => void;
  readonly onClose: () => void;
}

interface SecretsPageProps {
  readonly text: {
    readonly title: string;
    readonly about: string;
    readonly search: string;
    readonly create: string;
    readonly made: { readonly title: string; readonly label: string; readonly text: string };
  };
  /** What is created: in the address while the dialog is open. */
  readonly kind: string;
  readonly mayCreate: boolean;
  readonly dialog: (props: CreateDialogProps) => VNode;
  readonly children: ComponentChildren;
}

export function SecretsPage({ text, kind, mayCreate, dialog, children }: SecretsPageProps) {
  const [made, setMade] = useState<string | undefined>(undefined);
  return (
    <>
      <PageHead
        title={text.title}
        about={text.about}
        action={mayCreate && <CreateSecretButton label={text.create} kind={kind} primary />}
      />
      <div class="toolbar">
        <SearchBox label={text.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      </div>
      {children}
      {queryOf('create') === kind &&
        mayCreate &&
        dialog({ onMade: setMade, onClose: () => setQuery({ create: undefined }) })}
      {made !== undefined && (
        <SecretDialog
          title={text.made.title}
          label={text.made.label}
          secret={made}
          onClose={() => setMade(undefined)}
        >
          {text.made.text}
        </SecretDialog>
      )}
    </>
  );
}

interface CreateSecretButtonProps {
  readonly label: string;
  readonly kind: string;
  readonly primary?: boolean;
}

export function CreateSecretButton({ label, kind, primary = false }: CreateSecretButtonProps) {
  return (
    <Button kind={primary ? 'primary' : 'normal'} icon={Plus} onClick={() => setQuery({ create: kind })}>
      {label}
    </Button>
  );
}
