import { effectScope, ref, shallowRef, watch } from 'vue'
import { api, asProblem, type Problem } from '@/shared/api'
import { newKey } from '@/shared/key'
import { recallJson, remember } from '@/shared/store'
import { now } from '@/shared/time'
import type { Filed } from '@/shared/types'
import { useUploads } from '@/shared/uploads'
import { withProof } from './challenge'
import { bodyOf, useDraft } from './draft'
import { kept } from './keep'
import { forgetProof, hearRefusal, proofHeaders } from './phoneCode'

// What the engine answered, and when.
export type Receipt = Filed & { at: string }

const WAITS_MS = [2000, 4000, 8000, 15_000, 30_000]
// The engine remembers a key for longer than this.  What was first tried earlier might be filed twice, so its writer is asked.
const SURE_MS = 24 * 3600 * 1000

// Sends a complaint until somebody answers, on whichever page its writer is, and after all of them were closed.  The same words keep their
// key, so a second try is never a second complaint.
function open() {
  const { draft, hasWords, clear } = useDraft()
  const uploads = useUploads(kept)
  const isSending = ref(false)
  const isWaiting = ref(false)
  const problem = shallowRef<Problem | null>(null)
  const filed = shallowRef<Receipt | null>(recallJson<Receipt>('filed')) // not yet shown, or being shown
  let tries = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function attempt(): Promise<void> {
    clearTimeout(timer)
    if (isSending.value) return
    const body = bodyOf(draft)
    const text = JSON.stringify(body)
    if (draft.sent !== text) {
      if (draft.sent) draft.key = newKey()
      draft.sent = text
      draft.sent_at = Date.now()
    }
    isSending.value = true
    try {
      const answer = { ...(await withProof((headers) => api.file(body, draft.key, { ...headers, ...proofHeaders(draft.phone) }))), at: new Date(now()).toISOString() }
      isWaiting.value = false
      problem.value = null
      remember('filed', answer)
      forgetProof()
      uploads.clear()
      clear()
      filed.value = answer
    } catch (error) {
      const found = asProblem(error)
      hearRefusal(found)
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

  function hold(): void {
    draft.held = true
  }

  function startAgain(): void {
    clearTimeout(timer)
    isWaiting.value = false
    problem.value = null
    forgetProof()
    uploads.clear()
    clear()
  }

  // The receipt is in front of its reader; it need not be kept any longer.
  const seen = () => remember('filed', null)
  const putAway = () => {
    if (filed.value) filed.value = null
  }

  async function goOn(): Promise<void> {
    uploads.addDone(draft.files)
    await uploads.addKept()
    watch(
      () => uploads.list.filter((one) => one.id).map(({ id, type }) => ({ id, type })),
      (files) => (draft.files = files)
    )
    watch(
      () => draft.held && !uploads.isBusy.value,
      (isReady) => {
        if (!isReady) return
        draft.held = false
        // One that was refused is for the citizen to look at first.
        if (uploads.list.every((one) => one.state === 'done')) send()
      },
      { immediate: true }
    )
    if (draft.sent && Date.now() - draft.sent_at < SURE_MS) send()
  }

  void goOn()
  addEventListener('online', () => {
    if (isWaiting.value) void attempt()
  })
  return { draft, hasWords, uploads, filed, isSending, isWaiting, problem, send, hold, startAgain, seen, putAway }
}

// One for all pages, as long as the browser shows any of them.
export const filing = effectScope(true).run(open)!
