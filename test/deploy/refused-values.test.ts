// Values that cannot work are rejected before anything reaches the cluster, with a message that names the value.
import t from 'tap';
import { renderChart, skipWithoutDeployTools, type Values } from '../support/deploy-tools.js';
import { VALUE_SETS } from './support.js';

const redis = { config: { store: { redis: 'redis://redis' } }, bootstrapToken: { existingSecret: 'admin' } };

const sentinel = { store: { sentinel: { name: 'm', hosts: ['s:26379'] } } };
const sidecar = { mode: 'sidecar', config: redis.config };
const withoutAdmin = { ...redis.config, server: { admin: 'off' } };
const slow = { slow: { url: 'http://slow', timeouts: { totalMs: 300_000 } } };

const REFUSED: [what: string, values: Values, message: RegExp][] = [
  ['an unknown value', { replicaCount: 2 }, /replicaCount/],
  ['an unknown value below', { service: { portt: 80 } }, /portt/],
  ['text for a number', { replicas: '2' }, /replicas/],
  ['no replica', { replicas: 0 }, /replicas/],
  ['replicas of the embedded ledger', { replicas: 2 }, /replicas: the embedded ledger is one process only/],
  ['a volume that many write to', { persistence: { accessModes: ['ReadWriteMany'] } }, /accessModes/],
  ['a size without sense', { persistence: { size: 'big' } }, /size/],
  ['a port out of range', { service: { port: 65_536 } }, /port/],
  ['a kind of Service', { service: { type: 'ExternalName' } }, /type/],
  ['config that is text', { config: 'server: {}' }, /config/],
  ['a gateway on loopback', { config: { server: { gateway: '127.0.0.1:8080' } } }, /gateway/],
  ['probes that cannot connect', { config: { server: { ops: '127.0.0.1:9091' } } }, /ops/],
  ['a gateway that is off', { config: { server: { gateway: 'off' } } }, /gateway/],
  [
    'a Service of a listener on loopback',
    { config: { server: { admin: '127.0.0.1:9080' } } },
    /adminService/,
  ],
  ['a path that the chart owns', { config: { store: { embedded: { path: '/x' } } } }, /store\.embedded/],
  [
    'a password in a ConfigMap',
    { ...redis, config: { store: { redis: 'redis://user:secret@redis' } } },
    /redis/,
  ],
  [
    'a password of Sentinel in a ConfigMap',
    { config: { store: { sentinel: { name: 'm', hosts: ['s:26379'], password: 'x' } } } },
    /sentinel/,
  ],
  [
    'a password of Sentinel twice',
    {
      ...redis,
      config: { store: { sentinel: { name: 'm', hosts: ['s:26379'], passwordFile: '/x' } } },
      redis: { existingSecret: 'x' },
    },
    /sentinel\.passwordFile is set already/,
  ],
  [
    'two forms of Redis',
    { ...redis, config: { store: { redis: 'redis://r', cluster: { hosts: ['c:6379'] } } } },
    /config\.store: has several of redis, sentinel and cluster/,
  ],
  [
    'a spool that is deleted with the pod',
    { ...redis, config: { ...redis.config, spool: { path: '/data/spool' } } },
    /config\.spool\.path: \/data\/spool is deleted with the pod/,
  ],
  [
    'a spool in an emptyDir',
    {
      ...redis,
      config: { ...redis.config, spool: { path: '/spool/gate' } },
      extraVolumes: [{ name: 'spool', emptyDir: {} }],
      extraVolumeMounts: [{ name: 'spool', mountPath: '/spool' }],
    },
    /config\.spool\.path: \/spool\/gate is deleted with the pod/,
  ],
  [
    'a password of Sentinels without Sentinels',
    { ...redis, redis: { existingSecret: 'x', sentinelPasswordKey: 'y' } },
    /sentinelPasswordKey: config\.store\.sentinel is not set/,
  ],
  [
    'a password of Sentinels without a Secret',
    { ...redis, config: sentinel, redis: { sentinelPasswordKey: 'y' } },
    /sentinelPasswordKey: needs redis\.existingSecret/,
  ],
  ['a password without Redis', { redis: { existingSecret: 'x' } }, /redis\.existingSecret/],
  [
    'a password twice',
    {
      ...redis,
      config: { store: { redis: 'redis://r', passwordFile: '/x' } },
      redis: { existingSecret: 'x' },
    },
    /passwordFile is set already/,
  ],
  [
    'a token twice',
    { ...redis, config: { ...redis.config, admin: { bootstrapTokenFile: '/x' } } },
    /bootstrapTokenFile is set already/,
  ],
  [
    'Redis without a first token',
    { config: redis.config },
    /bootstrapToken\.existingSecret: needed until the store has an admin token/,
  ],
  [
    'a token that no one can use',
    { ...redis, config: { ...redis.config, server: { admin: false } } },
    /bootstrapToken\.existingSecret: config\.server\.admin is off/,
  ],
  [
    'a Service of a listener that is off',
    { config: withoutAdmin, adminService: { enabled: true } },
    /adminService\.enabled: config\.server\.admin is off/,
  ],
  [
    'peers of a listener that is off',
    { config: withoutAdmin, networkPolicy: { enabled: true, adminFrom: [{ podSelector: {} }] } },
    /networkPolicy\.adminFrom: config\.server\.admin is off/,
  ],
  ['a mode', { mode: 'daemonset' }, /mode/],
  [
    'a sidecar with the embedded ledger',
    { mode: 'sidecar' },
    /mode: a sidecar cannot have the embedded ledger/,
  ],
  [
    'a sidecar with an admin API',
    { ...sidecar, config: { ...redis.config, server: { admin: '0.0.0.0:9080' } } },
    /config\.server\.admin: must be off in a sidecar/,
  ],
  ['replicas of a sidecar', { ...sidecar, replicas: 2 }, /replicas: the chart of the app sets/],
  ...['autoscaling', 'podDisruptionBudget', 'networkPolicy', 'httpRoute', 'ingress', 'serviceMonitor'].map(
    (section): [string, Values, RegExp] => [
      `${section} of a sidecar`,
      { ...sidecar, [section]: { enabled: true } },
      new RegExp(`${section}\\.enabled: has no effect on a sidecar`),
    ],
  ),
  [
    'a PodMonitor without a sidecar',
    { podMonitor: { enabled: true } },
    /podMonitor\.enabled: is for sidecars/,
  ],
  [
    'autoscaling of the embedded ledger',
    { autoscaling: { enabled: true } },
    /autoscaling\.enabled: the embedded ledger is one process only/,
  ],
  [
    'a budget of the embedded ledger',
    { podDisruptionBudget: { enabled: true } },
    /podDisruptionBudget\.enabled: the embedded ledger has one pod/,
  ],
  [
    'replicas beside autoscaling',
    { ...redis, replicas: 3, autoscaling: { enabled: true } },
    /replicas: autoscaling sets the number/,
  ],
  [
    'more replicas at least than at most',
    { ...redis, autoscaling: { enabled: true, minReplicas: 11 } },
    /minReplicas: is above/,
  ],
  [
    'nothing to scale on',
    { ...redis, autoscaling: { enabled: true, cpuPercent: null } },
    /cpuPercent: without it and without autoscaling\.eventLoopLag/,
  ],
  [
    'a percentage of nothing',
    { ...redis, autoscaling: { enabled: true }, resources: { requests: { cpu: null } } },
    /cpuPercent: is a percentage of resources\.requests\.cpu/,
  ],
  [
    'a measure without autoscaling',
    { ...redis, autoscaling: { eventLoopLag: { enabled: true } } },
    /eventLoopLag\.enabled: needs autoscaling\.enabled/,
  ],
  ['a route of no Gateway', { httpRoute: { enabled: true } }, /httpRoute\.parentRefs: name the Gateway/],
  ['an Ingress of every host', { ingress: { enabled: true } }, /ingress\.hosts: name the hosts/],
  [
    'an admin route of every host',
    { adminService: { httpRoute: { enabled: true, parentRefs: [{ name: 'internal' }] } } },
    /adminService\.httpRoute\.hostnames: the admin API needs a host of its own/,
  ],
  [
    'an admin API on the host of the gateway',
    {
      ingress: { enabled: true, hosts: ['api.example.com'] },
      adminService: { ingress: { enabled: true, hosts: ['api.example.com'] } },
    },
    /adminService: the admin API needs a host of its own; api\.example\.com is the gateway's/,
  ],
  [
    'an Ingress without a Service',
    { adminService: { enabled: false, ingress: { enabled: true, hosts: ['quotas.example.com'] } } },
    /adminService: has no Service that the httpRoute or ingress could lead to/,
  ],
  ['a host with a path', { ingress: { enabled: true, hosts: ['api.example.com/v1'] } }, /hosts/],
  ['a secret under a taken name', { secrets: { redis: 'x' } }, /'redis'/],
  ['a secret whose name is no name', { secrets: { Llm: 'x' } }, /'Llm'/],
  ['root', { podSecurityContext: { runAsUser: 0 } }, /runAsUser/],
  ['perhaps root', { podSecurityContext: { runAsNonRoot: false } }, /runAsNonRoot/],
  ['a digest that is none', { image: { digest: 'sha256:1' } }, /digest/],
  ['a pull policy', { image: { pullPolicy: 'Sometimes' } }, /pullPolicy/],
  [
    'no time to settle',
    { terminationGracePeriodSeconds: 29 },
    /terminationGracePeriodSeconds: shorter than the 30 seconds of a stop/,
  ],
  [
    'a stop that cuts off the longest stream',
    { longestStreamSeconds: 600, config: { server: { finishMs: 30_000 } } },
    /finishMs: shorter than the longest stream of 600 seconds/,
  ],
  [
    'a stop that is shorter than the bound of an upstream',
    { config: { server: { finishMs: 30_000 }, upstreams: slow } },
    /finishMs: shorter than the longest stream of 300 seconds/,
  ],
  [
    'a pod that ends before its longest stream',
    { config: { upstreams: slow }, terminationGracePeriodSeconds: 300 },
    /terminationGracePeriodSeconds: shorter than the 315 seconds/,
  ],
  [
    'a stream that no pod waits for',
    { config: { upstreams: { slow: { url: 'http://slow', timeouts: { totalMs: 7_200_000 } } } } },
    /longestStreamSeconds: an upstream's timeouts\.totalMs is above one hour/,
  ],
  ['an alert that is none', { prometheusRule: { disabled: ['Other'] } }, /disabled/],
  ['a label that is none', { grafana: { dashboard: { label: 'grafana dashboard' } } }, /label/],
  ['a label that is no text', { grafana: { dashboard: { labelValue: 1 } } }, /labelValue/],
  ['an interval', { serviceMonitor: { interval: 'often' } }, /interval/],
  ['an annotation that is no text', { podAnnotations: { x: true } }, /podAnnotations/],
];

t.test('each invalid value set is rejected', { skip: skipWithoutDeployTools }, async (t) => {
  const answers = renderChart(
    REFUSED.map(([, values]) => values),
    { kubernetes: [] },
  );
  for (const [index, [what, , message]] of REFUSED.entries()) {
    const answer = answers[index] ?? {};
    t.match('refusal' in answer ? answer.refusal : 'accepted', message, what);
  }
});

t.test('the valid base of the invalid sets is accepted', { skip: skipWithoutDeployTools }, async (t) => {
  const sets = [redis, ...VALUE_SETS.values()];
  for (const answer of renderChart(sets, { kubernetes: [] }))
    t.notOk('refusal' in answer, 'the base is accepted');
});
