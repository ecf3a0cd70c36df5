/** The list of the packages in the image (CycloneDX). */
import { execFileSync } from 'node:child_process';

interface Component {
  readonly 'bom-ref': string;
  readonly properties: readonly { readonly name: string }[];
}

interface Sbom {
  readonly serialNumber?: string;
  readonly metadata: { readonly timestamp?: string };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const DEVELOPMENT = 'cdx:npm:package:development';
/** Without packages of development, npm leaves out what these and the program have in common. */
const COMMAND = [
  'sbom',
  '--package-lock-only',
  '--include=dev',
  '--sbom-format=cyclonedx',
  '--sbom-type=application',
];

/**
 * What the program depends on, and packages of development whose code is in the console. Without time and serial number, which would
 * differ in each build. `bundled`: `name@version`.
 */
export function sbomOf(bundled: ReadonlySet<string>): string {
  const text = execFileSync('npm', COMMAND, { encoding: 'utf8', maxBuffer: Number.POSITIVE_INFINITY });
  const all = JSON.parse(text) as Sbom;
  const isDevelopment = ({ properties }: Component): boolean =>
    properties.some(({ name }) => name === DEVELOPMENT);
  const components = all.components.filter((one) => !isDevelopment(one) || bundled.has(one['bom-ref']));
  const left = new Set(all.components.map((one) => one['bom-ref']));
  for (const one of components) left.delete(one['bom-ref']);
  const dependencies = all.dependencies
    .filter(({ ref }) => !left.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => !left.has(other)) }));
  const metadata = { ...all.metadata, timestamp: undefined };
  return `${JSON.stringify({ ...all, serialNumber: undefined, metadata, components, dependencies }, null, 2)}\n`;
}

/** The packages in a list of licences of a bundle, as `name@version`. */
export function packagesIn(licenses: string): readonly string[] {
  return [...licenses.matchAll(/^## (\S+) - (\S+)/gm)].map(([, name, version]) => `${name}@${version}`);
}
