/** `npm run docs`: writes every generated reference and table. */
import { writeFileSync } from 'node:fs';
import { errorsReadme } from './errors.js';
import { updateReadme as updateMetrics } from './metrics.js';
import { updateReadme as updateRoles } from './roles.js';
import { updateReadme as updateSettings } from './settings.js';

writeFileSync('src/errors/README.md', errorsReadme());
updateSettings('src/config/README.md');
updateMetrics('src/observe/README.md');
updateRoles('src/admin/README.md');
