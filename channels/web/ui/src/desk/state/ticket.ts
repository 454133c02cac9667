import { onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { api, asProblem, type Problem } from '@/shared/api'
import type { Actions, Ticket } from '@/shared/types'
import { useFeed } from './feed'

const kept = new Map<string, { ticket: Ticket; actions: Actions }>()
const KEEP = 50

// One ticket with what this person may do with it; opens from what was there and follows the feed.
export function useTicket(id: Ref<string>) {
  const ticket = shallowRef<Ticket | null>(null)
  const actions = shallowRef<Actions | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const isLoading = ref(false)
  let turn = 0

  async function load(): Promise<void> {
    const mine = ++turn
    const asked = id.value
    isLoading.value = true
    try {
      const [whole, may] = await Promise.all([api.ticket(asked), api.actions(asked)])
      if (mine !== turn) return
      ticket.value = whole
      actions.value = may
      problem.value = null
      kept.delete(asked)
      kept.set(asked, { ticket: whole, actions: may })
      if (kept.size > KEEP) kept.delete(kept.keys().next().value as string)
    } catch (error) {
      if (mine === turn) problem.value = asProblem(error)
    } finally {
      if (mine === turn) isLoading.value = false
    }
  }

  let timer: ReturnType<typeof setTimeout> | undefined
  useFeed().listen((event) => {
    if (event && (event.ticket !== id.value || event.version <= (ticket.value?.version ?? 0))) return
    clearTimeout(timer)
    timer = setTimeout(load, 100)
  })
  onScopeDispose(() => clearTimeout(timer))

  watch(
    id,
    (next) => {
      const before = kept.get(next)
      ticket.value = before?.ticket ?? null
      actions.value = before?.actions ?? null
      problem.value = null
      void load()
    },
    { immediate: true }
  )

  return { ticket, actions, problem, isLoading, load }
}
