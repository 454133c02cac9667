import { ref, shallowRef, watch, type Ref } from 'vue'
import { api, asProblem, queryText, type Problem } from '@/shared/api'
import { hearNow } from '@/shared/time'
import type { Closure, Identity } from '@/shared/types'

export interface ClosureQuery {
  [name: string]: string | undefined
  from: string
  to: string
  by?: string
  unit?: string
  category?: string
  channel?: string
  district?: string
}

export function useClosure(query: Ref<ClosureQuery>) {
  const figures = shallowRef<Closure | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const isLoading = ref(false)
  let running: AbortController | null = null

  async function load(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    isLoading.value = true
    try {
      const found = await api.closure(query.value, mine.signal)
      if (running !== mine) return
      figures.value = found
      problem.value = null
      hearNow(found.snapshot_at)
    } catch (error) {
      if (running !== mine || mine.signal.aborted) return
      problem.value = asProblem(error)
      figures.value = null
    } finally {
      if (running === mine) isLoading.value = false
    }
  }

  watch(() => queryText(query.value), load, { immediate: true })
  return { figures, problem, isLoading, load }
}

export function identitiesOf(closure: Closure): Identity[] {
  return [closure.identity, ...Object.values(closure.decompositions)]
}
