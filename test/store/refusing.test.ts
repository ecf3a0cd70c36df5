// A store that forgets its scripts, takes no writes or refuses the password: the same, and the gateway is not restarted.
import { testFaults } from './test-faults.js';

testFaults([
  'script cache flushed every 50 ms',
  'read-only replica',
  'password changed, file changed later',
  'out of memory',
]);
