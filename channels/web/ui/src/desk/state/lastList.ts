import { shallowRef } from 'vue'

// The list somebody came from, so that the next ticket is one key away.
const ids = shallowRef<string[]>([])
const from = shallowRef<string>('/')

export function useLastList() {
  function set(path: string, list: string[]): void {
    from.value = path
    ids.value = list
  }

  function neighbour(id: string, step: 1 | -1): string | undefined {
    const at = ids.value.indexOf(id)
    return at < 0 ? undefined : ids.value[at + step]
  }

  return { from, set, neighbour }
}
