/** Shared by the chart tests: the value sets, and types of the rendered objects. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { blocksOf, isValues } from '../docs/pages.js';
import {
  REPOSITORY,
  type Refused,
  type Rendered,
  renderChart,
  type Values,
} from '../support/deploy-tools.js';

const FOLDER = join(REPOSITORY, 'test/deploy/values');
const GUIDES = ['docs/deployment.md', 'docs/first-hour.md'];

/** Typical value sets of platform teams by name, those of the guide, and an empty one. */
export const VALUE_SETS: ReadonlyMap<string, Values> = new Map<string, Values>([
  ['no values', {}],
  ...readdirSync(FOLDER).map((file): [string, Values] => [
    file.replace('.yaml', ''),
    parse(readFileSync(join(FOLDER, file), 'utf8')),
  ]),
  ...GUIDES.flatMap((guide) =>
    blocksOf(guide, 'yaml')
      .filter(isValues)
      .map(({ text, line }): [string, Values] => [`${guide}:${line}`, parse(text)]),
  ),
]);

export interface Named {
  readonly name: string;
}

export interface Container extends Named {
  readonly args?: readonly string[];
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly volumeMounts: readonly { name: string; mountPath: string }[];
}

export interface Pod {
  readonly metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  readonly spec: {
    terminationGracePeriodSeconds: number;
    initContainers?: readonly Container[];
    containers: [Container];
    volumes: readonly Named[];
    securityContext: object;
    topologySpreadConstraints?: readonly object[];
  };
}

/** A Service has the labels directly. */
type Selector = { matchLabels: Record<string, string> } | Record<string, string>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { name: string; namespace?: string; labels: Record<string, string> };
  readonly data?: Record<string, string>;
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: Selector;
    readonly podSelector?: Selector;
    readonly template?: Pod;
    readonly volumeClaimTemplates?: readonly { metadata: Named }[];
    readonly ports?: readonly { name: string; port: number; targetPort: string | number }[];
    readonly ingress?: readonly { ports: readonly { port: string }[]; from?: readonly object[] }[];
  };
}

type Answers = readonly (Rendered | Refused)[];

/** Renders all value sets at the first call. */
function onceFor(render: (sets: readonly Values[]) => Answers): (name: string) => Rendered {
  let answers: Answers | undefined;
  return (name) => {
    answers ??= render([...VALUE_SETS.values()]);
    return accepted(answers[[...VALUE_SETS.keys()].indexOf(name)]);
  };
}

/** The rendering of a value set, with what `helm lint` and the schemas of Kubernetes say against it. */
export const validatedSet: (name: string) => Rendered = onceFor((sets) => renderChart(sets));

/** The rendering of a value set. */
export const renderedSet: (name: string) => Rendered = onceFor((sets) =>
  renderChart(sets, { kubernetes: [] }),
);

/** Renders without the Kubernetes schemas. */
export function rendered(values: Values): Rendered {
  const [answer] = renderChart([values], { kubernetes: [] });
  return accepted(answer);
}

export function accepted(answer: Rendered | Refused | undefined): Rendered {
  if (answer === undefined || 'refusal' in answer) throw new Error(`refused: ${answer?.refusal}`);
  return answer;
}

/** All objects of a rendering. Throws on invalid YAML and duplicate keys. */
export function objectsOf({ manifests }: Pick<Rendered, 'manifests'>): Manifest[] {
  return manifests.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => {
      for (const error of document.errors) throw error;
      const object: Manifest | null = document.toJS();
      return object === null ? [] : [object];
    }),
  );
}

/** The only object of a kind. */
export function ofKind(objects: readonly Manifest[], kind: string): Manifest {
  const [object, ...others] = objects.filter((one) => one.kind === kind);
  if (object === undefined || others.length > 0) throw new Error(`${others.length + 1} or no ${kind}`);
  return object;
}

export function kindsOf(objects: readonly Manifest[]): string[] {
  return objects.map(({ kind }) => kind).sort();
}

/** The pod template of the workload; undefined for a sidecar, which has none. */
export function templateOf(objects: readonly Manifest[]): Pod | undefined {
  const [pod, ...others] = objects.flatMap(({ spec }) => spec?.template ?? []);
  if (others.length > 0) throw new Error('several pod templates');
  return pod;
}

export function podOf(objects: readonly Manifest[]): Pod {
  const pod = templateOf(objects);
  if (pod === undefined) throw new Error('no pod template');
  return pod;
}

/** The pod of `helm test`. */
export function hookOf(objects: readonly Manifest[]): Pod | undefined {
  const hook = objects.find(({ kind }) => kind === 'Pod');
  return hook as (Manifest & Pod) | undefined;
}

export function configOf(objects: readonly Manifest[]): string {
  const [config, ...others] = objects.flatMap(({ data }) => data?.['quotagate.yaml'] ?? []);
  if (config === undefined || others.length > 0) throw new Error('not one config');
  return config;
}
