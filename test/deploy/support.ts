/** Shared by the chart tests: the value sets, and types of the rendered objects. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import {
  REPOSITORY,
  type Refused,
  type Rendered,
  renderChart,
  type Values,
} from '../support/deploy-tools.js';

const FOLDER = join(REPOSITORY, 'test/deploy/values');

/** Typical value sets of platform teams by name, and an empty one. */
export const VALUE_SETS: ReadonlyMap<string, Values> = new Map<string, Values>([
  ['no values', {}],
  ...readdirSync(FOLDER).map((file): [string, Values] => [
    file.replace('.yaml', ''),
    parse(readFileSync(join(FOLDER, file), 'utf8')),
  ]),
]);

export interface Named {
  readonly name: string;
}

export interface Container extends Named {
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly volumeMounts: readonly { name: string; mountPath: string }[];
}

export interface Pod {
  readonly metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  readonly spec: {
    terminationGracePeriodSeconds: number;
    containers: [Container];
    volumes: readonly Named[];
    securityContext: object;
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
    readonly ports?: readonly { name: string; port: number; targetPort: string }[];
    readonly ingress?: readonly { ports: readonly { port: string }[]; from?: readonly object[] }[];
  };
}

let answers: readonly (Rendered | Refused)[] | undefined;

/** The rendering of a value set. The first call renders all. */
export function renderedSet(name: string): Rendered {
  answers ??= renderChart([...VALUE_SETS.values()]);
  return accepted(answers[[...VALUE_SETS.keys()].indexOf(name)]);
}

/** Renders without the Kubernetes schemas. */
export function rendered(values: Values): Rendered {
  const [answer] = renderChart([values], []);
  return accepted(answer);
}

function accepted(answer: Rendered | Refused | undefined): Rendered {
  if (answer === undefined || 'refusal' in answer) throw new Error(`refused: ${answer?.refusal}`);
  return answer;
}

/** All objects of a rendering. Throws on invalid YAML and duplicate keys. */
export function objectsOf({ manifests }: Rendered): Manifest[] {
  return manifests.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => {
      for (const error of document.errors) throw error;
      const object: Manifest | null = document.toJS();
      return object === null ? [] : [object];
    }),
  );
}

function ofKind(objects: readonly Manifest[], kind: string): Manifest {
  const [object, ...others] = objects.filter((one) => one.kind === kind);
  if (object === undefined || others.length > 0) throw new Error(`${others.length + 1} or no ${kind}`);
  return object;
}

export function podOf(objects: readonly Manifest[]): Pod {
  const [pod, ...others] = objects.flatMap(({ spec }) => spec?.template ?? []);
  if (pod === undefined || others.length > 0) throw new Error('not one pod');
  return pod;
}

export function configOf(objects: readonly Manifest[]): string {
  return ofKind(objects, 'ConfigMap').data?.['quotagate.yaml'] ?? '';
}
