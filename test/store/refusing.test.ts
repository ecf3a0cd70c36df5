// The gateway needs no restart after a store loses its scripts, is read-only, refuses the password, or may evict keys.
import { testFaults } from './test-faults.js';

testFaults([
  'script cache flushed every 50 ms',
  'read-only replica',
  'password changed, file changed later',
  'out of memory',
  'another maxmemory-policy after a fail-over',
]);
