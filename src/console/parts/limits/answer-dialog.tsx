/** Answers a caller who asks for a raise of a limit: raises it until a time, or declines. Both close the request. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { useOrg } from '../../state/org.js';
import type { Limit } from './limit.js';
import { RaiseDialog } from './raise-dialog.js';

interface AnswerDialogProps {
  readonly limit: Limit;
  readonly onClose: () => void;
}

/** A limit has at most one open request. */
export function AnswerDialog({ limit, onClose }: AnswerDialogProps) {
  const { data } = useRaiseRequests();
  if (data === undefined) return null;
  const request = data.items.find((one) => one.limit === limit.id);
  // Someone else has answered: the limit can still be raised.
  return <RaiseDialog limit={limit} onClose={onClose} {...(request === undefined ? {} : { request })} />;
}

const REQUESTS_MAX = 100;

/** The requests that wait for an answer, the newest first. */
export function useRaiseRequests() {
  const { id: org } = useOrg();
  return useQuery({
    key: `raise-requests ${org}`,
    kinds: ['directory', 'events'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/raise-requests', {
        params: { path: { org }, query: { state: 'open', pageSize: REQUESTS_MAX } },
        ...options,
      }),
  });
}
