/** Builds the console into `dist/console`, which the admin listener serves at `/console/`. */
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/console/',
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no scripts or styles but those of files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    // Read by the check of the size of the first load.
    manifest: true,
    reportCompressedSize: false,
    license: { fileName: 'licenses.md' },
  },
  // `npm run console:dev` shows the sources at once, with the API of a gateway on this machine.
  server: { proxy: { '/v1': 'http://127.0.0.1:9080' } },
});
