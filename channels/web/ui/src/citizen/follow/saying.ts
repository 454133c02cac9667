import { onScopeDispose, ref, shallowRef } from 'vue'
import { api, asProblem, type Problem, type Proof } from '@/shared/api'
import { newKey } from '@/shared/key'
import { recallJson, remember } from '@/shared/store'
import type { CitizenSaid } from '@/shared/types'
import { WORDS, type Word } from './words'

// What was tried and nobody has answered yet.  Neither code nor token is kept with it.
export interface Kept {
  key: string
  body: Record<string, unknown>
  files: { id: string; type: string }[]
  at: number
}

const WAITS_MS = [2000, 4000, 8000, 15_000, 30_000]
// The engine remembers a key for longer than this; what is older is for its writer to look at again.
const SURE_MS = 24 * 3600 * 1000

const nameOf = (number: string, word: Word) => `said.${number}.${word}`

export const keptWord = (number: string, word: Word) => recallJson<Kept>(nameOf(number, word))

export const keptWords = (number: string) => (Object.keys(WORDS) as Word[]).filter((word) => keptWord(number, word))

// Sends one thing until somebody answers, under one key, also after the page was closed: twice sent is never twice said.
export function useSaying(number: string, word: Word, proof: Proof, told: (answer: CitizenSaid) => void) {
  const kept = shallowRef<Kept | null>(keptWord(number, word))
  const isSending = ref(false)
  const isWaiting = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let tries = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let isGone = false

  function keep(next: Kept | null): void {
    kept.value = next
    remember(nameOf(number, word), next)
  }

  async function attempt(): Promise<void> {
    const now = kept.value
    clearTimeout(timer)
    if (!now || isSending.value || isGone) return
    isSending.value = true
    try {
      const answer = await api.say(number, word, now.body, now.key, proof)
      isWaiting.value = false
      keep(null)
      if (!isGone) told(answer)
    } catch (error) {
      const found = asProblem(error)
      isWaiting.value = found.isOutcomeUnknown
      problem.value = found.isOutcomeUnknown ? null : found
      if (!found.isOutcomeUnknown) keep(null)
      else if (!isGone) timer = setTimeout(attempt, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)])
    } finally {
      isSending.value = false
    }
  }

  function send(body: Record<string, unknown>, files: Kept['files']): void {
    if (!kept.value) keep({ key: newKey(), body, files, at: Date.now() })
    problem.value = null
    tries = 0
    void attempt()
  }

  function again(): void {
    tries = 0
    void attempt()
  }

  function stop(): void {
    clearTimeout(timer)
    isWaiting.value = false
    keep(null)
  }

  // Goes on with what was tried before; false where it is too old for that, and is forgotten.
  function goOn(): boolean {
    if (kept.value && Date.now() - kept.value.at > SURE_MS) {
      keep(null)
      return false
    }
    void attempt()
    return true
  }

  const online = () => void attempt()
  addEventListener('online', online)
  onScopeDispose(() => {
    isGone = true
    clearTimeout(timer)
    removeEventListener('online', online)
  })
  return { kept, isSending, isWaiting, problem, send, again, stop, goOn }
}
