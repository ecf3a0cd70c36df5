// A killed store that returns with its data is used again; one that returns empty is refused until the loss is accepted.
import { testFaults } from './test-faults.js';

testFaults(['killed, started again with its data', 'killed, started again empty']);
