import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The measures, bundled as the server is: from source, what runs them would be measured as well. */
export default defineConfig({
  root: at('.'),
  build: {
    ssr: at('main.ts'),
    outDir: at('../../.tmp/bench'),
    target: 'node20',
    emptyOutDir: true,
    rollupOptions: { output: { entryFileNames: 'main.mjs' } },
  },
});
