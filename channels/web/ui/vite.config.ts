import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Two pages: the citizen's at /, the staff desk at /desk/.  Files under assets/ carry a hash in their name and never change.
export default defineConfig({
  plugins: [vue()],
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
