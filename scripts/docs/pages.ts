/** The generated references, by path. */
import { chartReadme, chartValues } from './chart.js';
import { errorsPage } from './errors.js';
import { licensesPage } from './licenses.js';
import { metricsPage } from './metrics.js';
import { rolesPage } from './roles.js';
import { settingsPage } from './settings.js';

export const GENERATED: Readonly<Record<string, () => string>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/licenses.md': licensesPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/roles.md': rolesPage,
  'docs/reference/settings.md': settingsPage,
  // The README states the defaults of the values.
  'helm/quotagate/values.yaml': chartValues,
  'helm/quotagate/README.md': chartReadme,
};
