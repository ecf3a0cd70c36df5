// The gateway as a native sidecar: the chart of an app includes it, and has everything else itself.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  CHART,
  REPOSITORY,
  renderChart,
  skipWithoutDeployTools,
  type Values,
} from '../support/deploy-tools.js';
import { accepted, kindsOf, objectsOf, ofKind, podOf, renderedSet } from './support.js';

const options = { skip: skipWithoutDeployTools };
const folder = mkdtempSync(join(tmpdir(), 'quotagate-sidecar-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** The example as `helm dependency build` leaves it. */
function exampleWith(values: Values) {
  cpSync(join(REPOSITORY, 'helm/examples/app-with-sidecar'), folder, { recursive: true });
  cpSync(CHART, join(folder, 'charts/quotagate'), { recursive: true });
  return accepted(renderChart([values], { chart: folder })[0]);
}

t.test('a sidecar release has no workload, Service or budget of its own', options, async (t) => {
  const objects = objectsOf(renderedSet('sidecar'));
  t.same(kindsOf(objects), ['ConfigMap', 'Pod', 'PodMonitor']);
  t.match(ofKind(objects, 'PodMonitor'), {
    spec: {
      selector: { matchLabels: { 'quotagate/sidecar': 'gate-quotagate' } },
      podMetricsEndpoints: [{ port: 'quota-ops', path: '/metrics', interval: '30s' }],
    },
  });
  t.match(renderedSet('sidecar').notes, /a sidecar: include the templates quotagate\.sidecar/);
});

t.test('the pods of an app include the gateway', options, async (t) => {
  const answer = exampleWith({});
  t.same(answer.lint, [], 'lint');
  t.same(answer.violations, [], 'schemas');
  const objects = objectsOf(answer);
  t.same(kindsOf(objects), ['ConfigMap', 'Deployment', 'Pod', 'Service']);
  const { metadata, spec } = podOf(objects);
  t.equal(metadata.labels['quotagate/sidecar'], 'gate-quotagate', 'a PodMonitor finds it');
  const [check, gateway, ...others] = spec.initContainers ?? [];
  t.same(others, []);
  t.match(check, { name: 'quotagate-check-config', args: ['check', '-c', /./, '--secrets'] });
  t.match(gateway, {
    name: 'quotagate',
    restartPolicy: 'Always',
    startupProbe: { httpGet: { path: '/healthz', port: 'quota-ops' } },
    livenessProbe: { httpGet: { path: '/healthz', port: 'quota-ops' } },
    readinessProbe: { httpGet: { path: '/readyz', port: 'quota-ops' } },
    securityContext: { runAsNonRoot: true, runAsUser: 65532, readOnlyRootFilesystem: true },
  });
  t.same(
    gateway?.ports.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['quota-gateway', 8080],
      ['quota-ops', 9091],
    ],
    'no admin API',
  );
  const volumes = spec.volumes.map(({ name }) => name).sort();
  for (const container of [check, gateway])
    t.same(container?.volumeMounts.map(({ name }) => name).sort(), volumes, 'every mount has its volume');
  t.match(answer.manifests.join(), /defaultMode: 0444/, 'the gateway may read the secrets');
  t.equal(ofKind(objects, 'Service').spec.ports?.[0]?.targetPort, 8080, 'callers reach the gateway');
  t.equal(spec.terminationGracePeriodSeconds, 30 + 15 + 15, 'the app stops first');
});

t.test('a changed config of the gateway replaces the pods of the app', options, async (t) => {
  const checksum = (values: Values) =>
    podOf(objectsOf(exampleWith(values))).metadata.annotations['checksum/config'];
  t.match(checksum({}), /^[0-9a-f]{64}$/);
  t.not(checksum({ quotagate: { config: { log: { level: 'warn' } } } }), checksum({}));
});
