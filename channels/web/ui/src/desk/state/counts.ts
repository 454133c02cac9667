import { ref } from 'vue'
import { api } from '@/shared/api'
import { hearNow } from '@/shared/time'
import type { Counts } from '@/shared/types'
import { useFeed } from './feed'

const PAUSE_MS = 1000
const counts = ref<Counts | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

async function read(): Promise<void> {
  try {
    counts.value = await api.counts()
    hearNow(counts.value.at)
  } catch {
    // The last numbers stay; the bar above says when the connection is lost.
  }
}

// However many events come, the numbers are asked for once a second at most.
function soon(): void {
  timer ??= setTimeout(() => {
    timer = undefined
    void read()
  }, PAUSE_MS)
}

export function useCounts() {
  function start(): void {
    void read()
    useFeed().listen(soon)
  }
  return { counts, start }
}
