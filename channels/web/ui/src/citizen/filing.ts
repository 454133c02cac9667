import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, asProblem, type Problem } from '@/shared/api'
import { newKey } from '@/shared/key'
import type { Filed } from '@/shared/types'
import { bodyOf, type Draft } from './draft'

const WAITS_MS = [2000, 4000, 8000, 15_000, 30_000]

// Sends a complaint until somebody answers.  The same words keep their key, so a second try is never a second complaint.
export function useFiling(draft: Draft, whenFiled: (filed: Filed) => void) {
  const isSending = ref(false)
  const isWaiting = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let tries = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function attempt(): Promise<void> {
    clearTimeout(timer)
    if (isSending.value) return
    const body = bodyOf(draft)
    const text = JSON.stringify(body)
    if (draft.sent && draft.sent !== text) draft.key = newKey()
    draft.sent = text
    isSending.value = true
    try {
      const filed = await api.file(body, draft.key)
      isWaiting.value = false
      problem.value = null
      whenFiled(filed)
    } catch (error) {
      const found = asProblem(error)
      isWaiting.value = found.isOutcomeUnknown
      problem.value = found.isOutcomeUnknown ? null : found
      if (found.isOutcomeUnknown) timer = setTimeout(attempt, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)])
      else draft.sent = ''
    } finally {
      isSending.value = false
    }
  }

  function send(): void {
    tries = 0
    void attempt()
  }

  const online = () => {
    if (isWaiting.value) void attempt()
  }
  addEventListener('online', online)
  onScopeDispose(() => {
    removeEventListener('online', online)
    clearTimeout(timer)
  })

  return { isSending, isWaiting, problem, send }
}
