// For every value set, Kubernetes accepts all objects, they match each other, and the pod is locked down.
import t, { type Test } from 'tap';
import { renderChart, skipWithoutDeployTools } from '../support/deploy-tools.js';
import {
  accepted,
  hookOf,
  kindsOf,
  type Manifest,
  objectsOf,
  type Pod,
  podOf,
  rendered,
  templateOf,
  VALUE_SETS,
  validatedSet,
} from './support.js';

const options = { skip: skipWithoutDeployTools };

const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

t.test('Kubernetes and the CRDs accept every object of every value set', options, async (t) => {
  t.ok(VALUE_SETS.size >= 10);
  for (const name of VALUE_SETS.keys()) {
    const answer = validatedSet(name);
    t.same(answer.lint, [], `${name}: lint`);
    t.same(answer.violations, [], `${name}: schemas`);
  }
});

t.test('the schemas find known errors', options, async (t) => {
  const values = {
    env: [{ name: 'X', valeu: 'x' }],
    serviceMonitor: { enabled: true, requireCrd: false, relabelings: [{ sourceLabel: 'x' }] },
    httpRoute: { enabled: true, requireCrd: false, parentRefs: [{ nme: 'public' }] },
  };
  const [answer] = renderChart([values], { kubernetes: ['1.29'] });
  const violations = accepted(answer).violations.join('\n');
  t.match(violations, /StatefulSet.*1\.29.*valeu/);
  t.match(violations, /ServiceMonitor.*sourceLabel/);
  t.match(violations, /HTTPRoute.*nme/);
});

t.test('the objects of every value set are consistent', options, async (t) => {
  for (const name of VALUE_SETS.keys()) {
    t.test(name, async (t) => {
      const objects = objectsOf(validatedSet(name));
      for (const { metadata, kind } of objects)
        t.match(
          metadata.labels,
          {
            'app.kubernetes.io/instance': 'gate',
            'app.kubernetes.io/name': kind === 'Pod' ? 'quotagate-check' : 'quotagate',
          },
          kind,
        );
      const hook = hookOf(objects);
      if (hook !== undefined) isComplete(t, hook, []);
      const pod = templateOf(objects);
      if (pod === undefined) return;
      isComplete(t, pod, claims(objects));
      hasProbes(t, pod);
      const listeners = pod.spec.containers[0].ports.map((port) => port.name);
      const services = objects.filter(({ kind }) => kind === 'Service');
      for (const port of services.flatMap((service) => service.spec.ports ?? []))
        t.ok(listeners.includes(String(port.targetPort)), `the port of the Service ${port.name}`);
      for (const selector of selectors(objects)) {
        t.ok(selects(selector, pod), 'it selects the pod');
        if (hook !== undefined) t.notOk(selects(selector, hook), 'and not that of the test');
      }
    });
  }
});

/** Every container is locked down, and has a volume for each mount. */
function isComplete(t: Test, { spec }: Pod, claimed: readonly { name: string }[]): void {
  t.match(spec, {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  t.equal(spec.containers.length, 1);
  const volumes = [...spec.volumes, ...claimed].map((volume) => volume.name);
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
    t.match(container, { securityContext: CONFINED });
    const mounts = container.volumeMounts;
    t.same(mounts.map((mount) => mount.name).sort(), [...volumes].sort(), 'every mount has its volume');
    t.ok(
      ['/tmp', '/data'].every((path) => mounts.some(({ mountPath }) => mountPath === path)),
      'what is written to is mounted',
    );
  }
}

function hasProbes(t: Test, { spec }: Pod): void {
  t.match(spec.containers[0], {
    startupProbe: { httpGet: { path: '/healthz', port: 'ops' } },
    livenessProbe: { httpGet: { path: '/healthz', port: 'ops' } },
    readinessProbe: { httpGet: { path: '/readyz', port: 'ops' } },
  });
}

t.test('without Redis, the chart runs at most one pod, on a persistent volume', options, async (t) => {
  const objects = objectsOf(validatedSet('embedded'));
  t.same(kindsOf(objects), ['ConfigMap', 'Pod', 'Service', 'Service', 'Service', 'StatefulSet']);
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
  const claimed = objectsOf(validatedSet('monitored'));
  t.same(claims(claimed), []);
  t.match(
    podOf(claimed).spec.volumes.find((volume) => volume.name === 'data'),
    { persistentVolumeClaim: { claimName: 'gate-ledger' } },
  );
});

t.test(
  'with Redis, the chart runs any number of replicas and replaces them without losing capacity',
  options,
  async (t) => {
    const objects = objectsOf(validatedSet('redis'));
    t.same(kindsOf(objects), [
      'ConfigMap',
      'Deployment',
      'Pod',
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
      { name: 'secret-bootstrap', secret: { secretName: 'gate-admin' } },
      { name: 'secret-ca', secret: { secretName: 'internal-authority' } },
      { name: 'secret-redis', secret: { secretName: 'redis-password' } },
      { name: 'data', emptyDir: {} },
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
  const objects = objectsOf(validatedSet('locked-down'));
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

t.test('without an admin listener there is no port and no Service for it', options, async (t) => {
  const objects = objectsOf(validatedSet('no-admin'));
  const listeners = podOf(objects).spec.containers[0].ports.map((port) => port.name);
  t.same(listeners, ['gateway', 'ops']);
  t.notOk(objects.some(({ metadata }) => metadata.name === 'gate-quotagate-admin'));
  t.match(validatedSet('no-admin').notes, /Admin API: {2}off\n/);
  const [unquoted] = objectsOf(rendered({ config: { server: { admin: false } } }));
  t.match(unquoted?.data?.['quotagate.yaml'], /admin: "?off"?\n/, 'Helm reads off as false');
});

t.test('the ServiceMonitor is created where the CRD exists, or on demand', options, async (t) => {
  const monitor = objectsOf(validatedSet('monitored')).find(({ kind }) => kind === 'ServiceMonitor');
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
  t.notOk(kindsOf(objectsOf(unseen)).includes('ServiceMonitor'));
  t.match(unseen.notes, /No ServiceMonitor was created/);
});

t.test('the notes give the addresses and the token', options, async (t) => {
  t.match(validatedSet('no values').notes, /logs statefulset\/gate-quotagate[\s\S]*no routes yet/);
  const { notes } = validatedSet('redis');
  t.match(notes, /4 replicas on one Redis/);
  t.match(notes, /http:\/\/gate-quotagate-admin\.quota\.svc:9080\/v1/);
  t.match(
    notes,
    /port-forward service\/gate-quotagate-admin 9080:9080, then http:\/\/localhost:9080\/console/,
  );
  t.match(notes, /get secret gate-admin .*\{\{index \.data "token" \| base64decode\}\}/);
  t.match(
    validatedSet('locked-down').notes,
    /https:\/\/gate\.quota\.svc:443[\s\S]*port-forward deployment\/gate 9443/,
  );
});

t.test('OpenShift can choose the user and group ids', options, async (t) => {
  t.same(podOf(objectsOf(validatedSet('monitored'))).spec.securityContext, {
    runAsNonRoot: true,
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  });
});

t.test('the grace period covers the shutdown time in the config', options, async (t) => {
  const grace = (name: string) => podOf(objectsOf(validatedSet(name))).spec.terminationGracePeriodSeconds;
  t.equal(grace('no values'), 5 + 15 + 15, 'the defaults of the config');
  t.equal(grace('locked-down'), 5 + 120 + 15);
  t.equal(grace('monitored'), 330);
  t.equal(grace('sentinel'), 5 + 600 + 15, 'the bound of an upstream');
  t.equal(grace('scaled'), 5 + 1800 + 15, 'the longest stream');
});

function values(name: string): Record<string, unknown> {
  const found = VALUE_SETS.get(name);
  if (found === undefined) throw new Error(`no values ${name}`);
  return { ...found };
}

function claims(objects: readonly Manifest[]) {
  return objects.flatMap(({ spec }) => spec?.volumeClaimTemplates?.map(({ metadata }) => metadata) ?? []);
}

function selects(selector: object, { metadata }: Pod): boolean {
  return Object.entries(selector).every(([label, value]) => metadata.labels[label] === value);
}

const SELECTING = ['Deployment', 'StatefulSet', 'Service', 'NetworkPolicy', 'PodDisruptionBudget'];

/** Label selectors of all objects that select the pod. */
function selectors(objects: readonly Manifest[]): object[] {
  return objects.flatMap<object>(({ kind, spec }) => {
    if (!SELECTING.includes(kind)) return [];
    const { selector = {}, podSelector = selector } = spec;
    return 'matchLabels' in podSelector ? [podSelector.matchLabels] : [podSelector];
  });
}
