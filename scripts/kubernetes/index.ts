/** `npm run kubernetes`: writes the manifests. */
import { writeFileSync } from 'node:fs';
import { MANIFESTS, manifestsOf, renderExample } from './manifests.js';

writeFileSync(MANIFESTS, manifestsOf(renderExample()));
