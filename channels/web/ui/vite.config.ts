import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// The engine sends name.gz where it lies beside name and the browser takes it.
function compressed(): Plugin {
  const LEAST = 1024
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }) {
      for (const entry of readdirSync(dir!, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue
        // Called path before Node 20.12.
        const path = join(entry.parentPath ?? (entry as { path?: string }).path, entry.name)
        const content = readFileSync(path)
        if (content.length >= LEAST) writeFileSync(path + '.gz', gzipSync(content, { level: 9 }))
      }
    }
  }
}

// Two pages: the citizen's at /, the staff desk at /desk/.  Files under assets/ carry a hash in their name and never change.
export default defineConfig({
  plugins: [vue(), compressed()],
  resolve: { alias: { '@': at('src') } },
  define: {
    __VUE_OPTIONS_API__: 'true', // Element Plus needs it
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __INTLIFY_DROP_MESSAGE_COMPILER__: 'false' // compiles messages to a tree, without eval
  },
  build: {
    outDir: process.env.HOTLINE_WEB_OUT || at('../../../build/web'),
    emptyOutDir: true,
    target: 'es2020',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: { citizen: at('index.html'), desk: at('desk/index.html') }
    }
  },
  server: {
    proxy: { '/v1': process.env.HOTLINE_URL || 'http://127.0.0.1:12345' }
  }
})
