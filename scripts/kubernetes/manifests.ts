/** Manifests for Kubernetes without Helm. The chart makes them, so that both are the same. */
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type Rendered, renderChart } from '../../test/support/deploy-tools.js';

export const MANIFESTS = 'deploy/kubernetes/quotagate.yaml';
const VALUES = 'deploy/kubernetes/values.yaml';

const HEAD = `# Made by \`npm run kubernetes\` from the chart with values.yaml beside it. docs/deployment.md says what to change.
`;
/** They say that Helm owns the object. */
const LABELS_OF_HELM: ReadonlySet<string> = new Set(['app.kubernetes.io/managed-by', 'helm.sh/chart']);
const HOOK = 'helm.sh/hook';

/** The rendering, judged by the schemas of Kubernetes. */
export function renderExample(): Rendered {
  const [rendered] = renderChart([parse(readFileSync(VALUES, 'utf8'))], { release: 'quotagate' });
  if (rendered === undefined || 'refusal' in rendered) throw new Error(`refused: ${rendered?.refusal}`);
  return rendered;
}

export function manifestsOf({ manifests }: Rendered): string {
  const objects = manifests
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()))
    .filter((object) => object !== null && object.metadata.annotations?.[HOOK] === undefined);
  const texts = objects.map((object) => stringify(withoutHelm(object), { lineWidth: 0 }));
  return HEAD + texts.join('---\n');
}

function withoutHelm(object: unknown): unknown {
  return JSON.parse(JSON.stringify(object), (key, value) => (LABELS_OF_HELM.has(key) ? undefined : value));
}
