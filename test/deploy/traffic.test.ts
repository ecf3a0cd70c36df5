// Who reaches the gateways and how many there are: HTTPRoute, Ingress, NetworkPolicy, autoscaling, budget, spread.
import t from 'tap';
import { skipWithoutDeployTools } from '../support/deploy-tools.js';
import { kindsOf, objectsOf, ofKind, podOf, rendered, renderedSet } from './support.js';

const options = { skip: skipWithoutDeployTools };

t.test('a Gateway leads to the gateway, and another one to the admin API', options, async (t) => {
  const routes = objectsOf(renderedSet('scaled')).filter(({ kind }) => kind === 'HTTPRoute');
  const path = (value: string) => ({ path: { type: 'PathPrefix', value } });
  t.match(routes, [
    {
      metadata: { name: 'gate-quotagate' },
      spec: {
        parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
        hostnames: ['api.example.com'],
        rules: [
          {
            matches: [path('/v3'), path('/v1/chat')],
            backendRefs: [{ name: 'gate-quotagate', port: 80 }],
            timeouts: { request: '0s' },
          },
        ],
      },
    },
    {
      metadata: { name: 'gate-quotagate-admin' },
      spec: {
        parentRefs: [{ name: 'internal' }],
        hostnames: ['quotas.example.com'],
        rules: [{ matches: [path('/')], backendRefs: [{ name: 'gate-quotagate-admin', port: 9080 }] }],
      },
    },
  ]);
  const unseen = rendered({ httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } });
  t.notOk(kindsOf(objectsOf(unseen)).includes('HTTPRoute'), 'only where the cluster has the CRD');
  t.match(unseen.notes, /No HTTPRoute was created/);
});

t.test('an Ingress leads to the gateway, and another one to the admin API', options, async (t) => {
  const ingresses = objectsOf(renderedSet('ingress')).filter(({ kind }) => kind === 'Ingress');
  const rule = (host: string, name: string, number: number) => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number } } } }] },
  });
  t.match(ingresses, [
    {
      spec: {
        ingressClassName: 'nginx',
        tls: [{ secretName: 'api-certificate', hosts: ['api.example.com', 'api.example.org'] }],
        rules: [rule('api.example.com', 'gate-quotagate', 80), rule('api.example.org', 'gate-quotagate', 80)],
      },
    },
    {
      metadata: { name: 'gate-quotagate-admin' },
      spec: {
        tls: [{ secretName: 'quotas-certificate', hosts: ['quotas.example.com'] }],
        rules: [rule('quotas.example.com', 'gate-quotagate-admin', 9080)],
      },
    },
  ]);
});

t.test('the network policy admits the listed peers', options, async (t) => {
  const ingress = (name: string) =>
    ofKind(objectsOf(renderedSet(name)), 'NetworkPolicy').spec.ingress?.map(({ ports, from }) => [
      ports[0]?.port,
      from?.length ?? 'anybody',
    ]);
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

t.test('autoscaling sets the number of replicas, and nothing else does', options, async (t) => {
  const objects = objectsOf(renderedSet('scaled'));
  t.notOk('replicas' in ofKind(objects, 'Deployment').spec);
  t.match(ofKind(objects, 'HorizontalPodAutoscaler'), {
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'gate-quotagate' },
      minReplicas: 3,
      maxReplicas: 30,
      metrics: [
        { resource: { name: 'cpu', target: { averageUtilization: 60 } } },
        { pods: { metric: { name: 'nodejs_eventloop_lag_p99_seconds' }, target: { averageValue: '30m' } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    },
  });
  t.match(renderedSet('scaled').notes, /3 to 30 replicas on one Redis/);
});

t.test('a budget belongs to several replicas', options, async (t) => {
  t.match(ofKind(objectsOf(renderedSet('cluster')), 'PodDisruptionBudget'), {
    spec: { maxUnavailable: '25%' },
  });
  t.notOk(kindsOf(objectsOf(renderedSet('embedded'))).includes('PodDisruptionBudget'));
});

t.test('replicas are spread, and a constraint counts the pods of the release', options, async (t) => {
  const spread = (name: string) => podOf(objectsOf(renderedSet(name))).spec.topologySpreadConstraints;
  const own = {
    matchLabels: { 'app.kubernetes.io/name': 'quotagate', 'app.kubernetes.io/instance': 'gate' },
  };
  t.match(spread('sentinel'), [
    { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: own },
    { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: own },
  ]);
  t.strictSame(spread('cluster'), [
    {
      maxSkew: 2,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: own,
    },
  ]);
  t.equal(spread('embedded'), undefined);
});
