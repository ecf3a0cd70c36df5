// A store that forgets its scripts, takes no writes, refuses the password or may evict: the same, and no restart is needed.
import { testFaults } from './test-faults.js';

testFaults([
  'script cache flushed every 50 ms',
  'read-only replica',
  'password changed, file changed later',
  'out of memory',
  'another maxmemory-policy after a fail-over',
]);
