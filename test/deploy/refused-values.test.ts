// Values that cannot work are rejected before anything reaches the cluster, with a message that names the value.
import t from 'tap';
import { renderChart, skipWithoutDeployTools, type Values } from '../support/deploy-tools.js';
import { VALUE_SETS } from './support.js';

const redis = { config: { store: { redis: 'redis://redis' } }, bootstrapToken: { existingSecret: 'admin' } };

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
  ['a secret under a taken name', { secrets: { redis: 'x' } }, /'redis'/],
  ['a secret whose name is no name', { secrets: { Llm: 'x' } }, /'Llm'/],
  ['root', { podSecurityContext: { runAsUser: 0 } }, /runAsUser/],
  ['perhaps root', { podSecurityContext: { runAsNonRoot: false } }, /runAsNonRoot/],
  ['a digest that is none', { image: { digest: 'sha256:1' } }, /digest/],
  ['a pull policy', { image: { pullPolicy: 'Sometimes' } }, /pullPolicy/],
  ['no time to drain', { terminationGracePeriodSeconds: 19 }, /terminationGracePeriodSeconds/],
  ['an alert that is none', { prometheusRule: { disabled: ['Other'] } }, /disabled/],
  ['an interval', { serviceMonitor: { interval: 'often' } }, /interval/],
  ['an annotation that is no text', { podAnnotations: { x: true } }, /podAnnotations/],
];

t.test('each invalid value set is rejected', { skip: skipWithoutDeployTools }, async (t) => {
  const answers = renderChart(
    REFUSED.map(([, values]) => values),
    [],
  );
  for (const [index, [what, , message]] of REFUSED.entries()) {
    const answer = answers[index] ?? {};
    t.match('refusal' in answer ? answer.refusal : 'accepted', message, what);
  }
});

t.test('the valid base of the invalid sets is accepted', { skip: skipWithoutDeployTools }, async (t) => {
  const sets = [redis, ...VALUE_SETS.values()];
  for (const answer of renderChart(sets, [])) t.notOk('refusal' in answer, 'the base is accepted');
});
