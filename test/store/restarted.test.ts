// A store that is killed comes back with its data and goes on; one that comes back empty stops until the loss is accepted.
import { testFaults } from './test-faults.js';

testFaults(['killed, started again with its data', 'killed, started again empty']);
