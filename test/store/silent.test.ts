// A store that is slow, stopped or out of reach: every answer comes, budgets hold, all is settled, and it goes on by itself.
import { testFaults } from './test-faults.js';

testFaults([
  'slow: 200 ms more a round trip',
  'stopped (SIGSTOP, SIGCONT)',
  'black hole, all delivered later',
  'unreachable, connections cut',
  'connections cut every 100 ms',
  'answers held back, and lost in the end',
]);
