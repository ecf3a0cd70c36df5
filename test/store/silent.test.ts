// While a store is slow, stopped or unreachable, every request is answered, limits hold, charges settle, and service recovers.
import { testFaults } from './test-faults.js';

testFaults([
  'slow: 200 ms more a round trip',
  'stopped (SIGSTOP, SIGCONT)',
  'black hole, all delivered later',
  'unreachable, connections cut',
  'connections cut every 100 ms',
  'answers held back, and lost in the end',
]);
