import { createStore, del, entries, set } from 'idb-keyval'
import type { Keeper } from '@/shared/uploads'

// Files that were chosen and are not yet with the engine, kept in the browser beside the words.  A browser that keeps nothing (private
// windows) loses them with the page, as it would without this.
const store = () => createStore('hotline', 'files')

export const kept: Keeper = {
  async all() {
    try {
      return (await entries<string, Blob>(store())).map(([name, file]) => ({ name, file }))
    } catch {
      return []
    }
  },
  put: (name, file) => set(name, file, store()).catch(() => undefined),
  drop: (name) => del(name, store()).catch(() => undefined)
}
