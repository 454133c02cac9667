import { onScopeDispose, shallowRef, watch } from 'vue'
import { api } from '@/shared/api'
import type { Candidate } from '@/shared/types'

const PAUSE_MS = 600
const ENOUGH = 6

// Who would get this, asked again when the words have rested for a moment.
export function useProposals(values: Record<string, unknown>) {
  const candidates = shallowRef<Candidate[]>([])
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: AbortController | null = null

  async function ask(): Promise<void> {
    running?.abort()
    const mine = (running = new AbortController())
    const body: Record<string, unknown> = { title: values.title ?? '', content: values.content ?? '' }
    for (const name of ['category', 'division', 'type']) if (values[name]) body[name] = values[name]
    try {
      const answer = await api.propose(body, mine.signal)
      if (running === mine) candidates.value = answer.candidates
    } catch {
      // A proposal is a help; without it the form is whole.
    }
  }

  watch(
    () => [values.title, values.content, values.category, values.division, values.type],
    () => {
      clearTimeout(timer)
      const length = String(values.title ?? '').length + String(values.content ?? '').length
      if (length >= ENOUGH || values.category) timer = setTimeout(ask, PAUSE_MS)
    }
  )
  onScopeDispose(() => {
    clearTimeout(timer)
    running?.abort()
  })
  return candidates
}
