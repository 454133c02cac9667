import { reactive, ref, shallowRef, type Ref } from 'vue'
import { uploadEn, uploadZh } from '@/locales/upload'
import { api, asProblem, Problem } from '@/shared/api'
import { say } from '@/shared/i18n'
import { newKey } from '@/shared/key'
import type { ActAnswer, Action, Ticket } from '@/shared/types'

export type Values = Record<string, unknown>

// What a ticket already says under the names that inputs use, for the actions that write the complaint itself: these name its title.
// The content of a reply is another.
function ownValues(ticket: Ticket): Values {
  return {
    type: ticket.type, title: ticket.title, content: ticket.content, address: ticket.address ?? undefined,
    category: ticket.category?.code, division: ticket.division?.code, urgency: ticket.urgency, secrecy: ticket.secrecy,
    reply_wanted: ticket.reply_wanted, publish: ticket.publish, anonymous: ticket.anonymous || undefined
  }
}

const isGiven = (value: unknown) =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)

export type Sent = { answer: ActAnswer } | { problem: Problem }

// The form of one action.  What was typed stays for the other actions of the same ticket and for a second try.
export function useForm(ticket: Ref<Ticket>) {
  const values = reactive<Values>({})
  const typed = new Set<string>()
  const action = shallowRef<Action | null>(null)
  const isSending = ref(false)
  const problem = shallowRef<Problem | null>(null)
  let key = ''
  let lastBody = ''

  function open(next: Action): void {
    const own = next.inputs.some((i) => i.name === 'title') ? ownValues(ticket.value) : {}
    for (const input of next.inputs) {
      if (typed.has(input.name) && isGiven(values[input.name])) continue
      values[input.name] = input.default ?? own[input.name] ?? undefined
    }
    action.value = next
    problem.value = null
    key = newKey()
    lastBody = ''
  }

  function close(): void {
    action.value = null
    problem.value = null
  }

  function set(name: string, value: unknown): void {
    values[name] = value
    typed.add(name)
  }

  const isTouched = () => typed.size > 0

  function forget(): void {
    for (const name of Object.keys(values)) delete values[name]
    typed.clear()
  }

  function body(version: number): Values {
    const now = action.value as Action
    const out: Values = { action: now.action, version }
    for (const input of now.inputs) {
      const value = values[input.name]
      if (isGiven(value)) out[input.name] = typeof value === 'string' ? value.trim() : value
    }
    if (now.approval) out.approval = now.approval
    return out
  }

  // The key is kept only while nobody knows whether the same body arrived.
  async function send(version: number): Promise<Sent> {
    const out = body(version)
    const unfinished = Object.entries(out).find(([, value]) => Array.isArray(value) && value.includes(''))
    if (unfinished) {
      const field = { name: unfinished[0], code: 'unfinished', detail: say({ zh: uploadZh.unfinished, en: uploadEn.unfinished }) }
      return { problem: (problem.value = new Problem(422, 'bad_inputs', field.detail, [field])) }
    }
    const text = JSON.stringify(out)
    if (lastBody && lastBody !== text) key = newKey()
    lastBody = text
    isSending.value = true
    try {
      const answer = await api.act(ticket.value.id, out, key)
      forget()
      close()
      return { answer }
    } catch (error) {
      const found = (problem.value = asProblem(error))
      if (!found.isOutcomeUnknown) {
        key = newKey()
        lastBody = ''
      }
      return { problem: found }
    } finally {
      isSending.value = false
    }
  }

  function fieldProblem(name: string): string | undefined {
    return problem.value?.fields.find((f) => f.name === name || f.name.startsWith(name + '.') || f.name.startsWith(name + '['))?.detail
  }

  return { values, action, isSending, problem, open, close, set, forget, isTouched, send, fieldProblem }
}

export type Form = ReturnType<typeof useForm>
