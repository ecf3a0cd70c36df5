/** `npm run dashboard`: writes the dashboard into the chart. */
import { writeFileSync } from 'node:fs';
import { DASHBOARD, dashboardJson } from './dashboard.js';

writeFileSync(DASHBOARD, dashboardJson());
