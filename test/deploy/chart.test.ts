// For every value set, Kubernetes accepts all objects, they match each other, and the pod is locked down.
import t from 'tap';
import { skipWithoutDeployTools } from '../support/deploy-tools.js';
import { type Manifest, objectsOf, podOf, rendered, renderedSet, VALUE_SETS } from './support.js';

const options = { skip: skipWithoutDeployTools };

t.test('every value set renders valid, consistent objects', options, async (t) => {
  t.ok(VALUE_SETS.size >= 5);
  for (const name of VALUE_SETS.keys()) {
    t.test(name, async (t) => {
      const answer = renderedSet(name);
      t.same(answer.lint, [], 'lint');
      const foreign = answer.violations.filter((one) =>
        /^(ServiceMonitor|PrometheusRule)\/.*no schema$/.test(one),
      );
      t.same(answer.violations, foreign, 'only what the Prometheus operator brings is unknown to Kubernetes');
      const objects = objectsOf(answer);
      const pod = podOf(objects);
      const { spec } = pod;
      t.match(spec, {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            securityContext: {
              allowPrivilegeEscalation: false,
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            },
            startupProbe: { httpGet: { path: '/healthz', port: 'ops' } },
            livenessProbe: { httpGet: { path: '/healthz', port: 'ops' } },
            readinessProbe: { httpGet: { path: '/readyz', port: 'ops' } },
          },
        ],
      });
      t.equal(spec.containers.length, 1);
      const volumes = [...spec.volumes, ...claims(objects)].map((volume) => volume.name);
      const mounts = spec.containers[0].volumeMounts;
      t.same(mounts.map((mount) => mount.name).sort(), volumes.sort(), 'every mount has its volume');
      t.ok(
        ['/tmp', '/data'].every((path) => mounts.some(({ mountPath }) => mountPath === path)),
        'what is written to is mounted',
      );
      const listeners = spec.containers[0].ports.map((port) => port.name);
      const services = objects.filter(({ kind }) => kind === 'Service');
      for (const port of services.flatMap((service) => service.spec.ports ?? []))
        t.ok(listeners.includes(port.targetPort), `the port of the Service ${port.name}`);
      for (const selector of selectors(objects)) t.match(pod.metadata.labels, selector, 'it selects the pod');
      for (const { metadata, kind } of objects)
        t.match(
          metadata.labels,
          { 'app.kubernetes.io/instance': 'gate', 'app.kubernetes.io/name': 'quotagate' },
          kind,
        );
    });
  }
});

t.test('without Redis, the chart runs at most one pod, on a persistent volume', options, async (t) => {
  const objects = objectsOf(renderedSet('embedded'));
  t.same(kinds(objects), ['ConfigMap', 'Service', 'Service', 'Service', 'StatefulSet']);
  t.match(
    objects.find(({ kind }) => kind === 'StatefulSet'),
    {
      spec: {
        replicas: 1,
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: 'fast',
              resources: { requests: { storage: '5Gi' } },
            },
          },
        ],
      },
    },
  );
  const claimed = objectsOf(renderedSet('monitored'));
  t.same(claims(claimed), []);
  t.match(podOf(claimed).spec.volumes, [
    { name: 'config' },
    { name: 'tmp' },
    { name: 'data', persistentVolumeClaim: { claimName: 'gate-ledger' } },
  ]);
});

t.test(
  'with Redis, the chart runs any number of replicas and replaces them without losing capacity',
  options,
  async (t) => {
    const objects = objectsOf(renderedSet('redis'));
    t.same(kinds(objects), [
      'ConfigMap',
      'Deployment',
      'PodDisruptionBudget',
      'Service',
      'Service',
      'Service',
    ]);
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    t.match(deployment, {
      spec: { replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    });
    t.match(podOf(objects).spec.volumes, [
      { name: 'config' },
      { name: 'tmp' },
      { name: 'data', emptyDir: {} },
      { name: 'secret-bootstrap', secret: { secretName: 'gate-admin' } },
      { name: 'secret-ca', secret: { secretName: 'internal-authority' } },
      { name: 'secret-redis', secret: { secretName: 'redis-password' } },
    ]);
    const { replicas: _, ...unsaid } = values('redis');
    t.equal(objectsOf(rendered(unsaid)).find(({ kind }) => kind === 'Deployment')?.spec.replicas, 2);
  },
);

t.test('only a config change replaces the pods', options, async (t) => {
  const checksum = (values: object) =>
    podOf(objectsOf(rendered({ ...values }))).metadata.annotations['checksum/config'];
  const before = checksum(values('embedded'));
  t.match(before, /^[0-9a-f]{64}$/);
  t.equal(checksum({ ...values('embedded'), service: { port: 81 } }), before);
  t.not(checksum({ ...values('embedded'), config: { log: { level: 'warn' } } }), before);
});

t.test('ports come from the config', options, async (t) => {
  const objects = objectsOf(renderedSet('locked-down'));
  const listeners = podOf(objects).spec.containers[0].ports.map((port) => [port.name, port.containerPort]);
  t.same(Object.fromEntries(listeners), { gateway: 8443, admin: 9443, ops: 9999 });
  const services = objects.filter(({ kind }) => kind === 'Service');
  t.same(
    services.map(({ metadata, spec }) => [metadata.name, spec.ports?.[0]?.port]),
    [
      ['gate', 443],
      ['gate-ops', 9999],
    ],
    'and the admin API has none here',
  );
});

t.test('the network policy admits the listed peers', options, async (t) => {
  const ingress = (name: string) =>
    objectsOf(renderedSet(name))
      .find(({ kind }) => kind === 'NetworkPolicy')
      ?.spec.ingress?.map(({ ports, from }) => [ports[0]?.port, from?.length ?? 'anybody']);
  t.same(ingress('locked-down'), [
    ['gateway', 1],
    ['ops', 1],
  ]);
  t.same(ingress('monitored'), [
    ['gateway', 'anybody'],
    ['ops', 'anybody'],
    ['admin', 1],
  ]);
});

t.test('the ServiceMonitor is created where the CRD exists, or on demand', options, async (t) => {
  const monitor = objectsOf(renderedSet('monitored')).find(({ kind }) => kind === 'ServiceMonitor');
  t.match(monitor, {
    metadata: { namespace: 'monitoring', labels: { release: 'kube-prometheus-stack' } },
    spec: {
      namespaceSelector: { matchNames: ['quota'] },
      selector: { matchLabels: { 'quotagate/listener': 'ops' } },
      endpoints: [
        { port: 'ops', path: '/metrics', interval: '15s', scrapeTimeout: '10s', honorLabels: true },
      ],
    },
  });
  const unseen = rendered({ serviceMonitor: { enabled: true } });
  t.notOk(kinds(objectsOf(unseen)).includes('ServiceMonitor'));
  t.match(unseen.notes, /No ServiceMonitor was created/);
});

t.test('the notes give the addresses and the token', options, async (t) => {
  t.match(renderedSet('no values').notes, /logs statefulset\/gate-quotagate[\s\S]*no routes yet/);
  const { notes } = renderedSet('redis');
  t.match(notes, /4 replicas on one Redis/);
  t.match(notes, /http:\/\/gate-quotagate-admin\.quota\.svc:9080\/v1/);
  t.match(notes, /get secret gate-admin .*\{\{index \.data "token" \| base64decode\}\}/);
  t.match(
    renderedSet('locked-down').notes,
    /https:\/\/gate\.quota\.svc:443[\s\S]*port-forward deployment\/gate 9443/,
  );
});

t.test('OpenShift can choose the user and group ids', options, async (t) => {
  t.same(podOf(objectsOf(renderedSet('monitored'))).spec.securityContext, {
    runAsNonRoot: true,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  });
});

function values(name: string): Record<string, unknown> {
  const found = VALUE_SETS.get(name);
  if (found === undefined) throw new Error(`no values ${name}`);
  return { ...found };
}

function kinds(objects: readonly Manifest[]): string[] {
  return objects.map(({ kind }) => kind).sort();
}

function claims(objects: readonly Manifest[]) {
  return objects.flatMap(({ spec }) => spec?.volumeClaimTemplates?.map(({ metadata }) => metadata) ?? []);
}

/** Label selectors of all objects that select the pod. */
function selectors(objects: readonly Manifest[]): object[] {
  return objects.flatMap<object>(({ kind, spec }) => {
    if (kind === 'ConfigMap' || kind === 'ServiceMonitor') return [];
    const { selector = {}, podSelector = selector } = spec;
    return 'matchLabels' in podSelector ? [podSelector.matchLabels] : [podSelector];
  });
}

t.test('the grace period covers the shutdown time in the config', options, async (t) => {
  const grace = (name: string) => podOf(objectsOf(renderedSet(name))).spec.terminationGracePeriodSeconds;
  t.equal(grace('no values'), 5 + 15 + 15, 'the defaults of the config');
  t.equal(grace('locked-down'), 5 + 120 + 15);
  t.equal(grace('monitored'), 330);
});
