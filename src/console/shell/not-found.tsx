/** An address without a page, an org that the token does not reach, or a page of a newer version. */
import { RefreshCw, SearchX } from 'lucide-preact';
import { texts } from '../i18n/index.js';
import { hrefTo } from '../router.js';
import { logOut } from '../state/session.js';
import { Button, LinkButton } from '../ui/button.js';
import { EmptyState } from '../ui/states.js';

interface NotFoundProps {
  readonly reason: 'page' | 'org' | 'no-org' | 'version';
}

export function NotFound({ reason }: NotFoundProps) {
  const { common } = texts.value;
  const { title, text } = common.notFound[reason];
  return (
    <EmptyState icon={SearchX} title={title} action={<WayOut reason={reason} />} page>
      {text}
    </EmptyState>
  );
}

function WayOut({ reason }: NotFoundProps) {
  const { common } = texts.value;
  if (reason === 'no-org') return <Button onClick={() => void logOut()}>{common.logOut}</Button>;
  if (reason === 'version')
    return (
      <Button icon={RefreshCw} onClick={() => window.location.reload()}>
        {common.reload}
      </Button>
    );
  return <LinkButton href={hrefTo('/')}>{common.toOverview}</LinkButton>;
}
