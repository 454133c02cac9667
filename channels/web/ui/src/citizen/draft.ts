import { reactive, watch } from 'vue'
import { newKey } from '@/shared/key'
import { recallJson, remember } from '@/shared/store'

// What a citizen has typed, kept in the browser until it has been answered.
export interface Draft {
  key: string
  sent: string // the body last tried under this key, as long as nobody has answered
  sent_at: number // when it was first tried
  held: boolean // to be sent as soon as the files are there
  type: string
  title: string
  content: string
  division: string
  address: string
  phone: string
  name: string
  anonymous: boolean
  reply_wanted: boolean
  hide: boolean
  files: { id: string; type: string }[] // that are there already
}

function empty(): Draft {
  return {
    key: newKey(), sent: '', sent_at: 0, held: false, type: '', title: '', content: '', division: '', address: '', phone: '', name: '',
    anonymous: false, reply_wanted: true, hide: false, files: []
  }
}

export function useDraft() {
  const found = recallJson<Partial<Draft>>('draft')
  const draft = reactive<Draft>({ ...empty(), ...found })
  watch(draft, (now) => remember('draft', now))

  function clear(): void {
    Object.assign(draft, empty())
  }

  const hasWords = () => !!(draft.title || draft.content || draft.files.length)

  return { draft, hasWords, clear }
}

export function bodyOf(draft: Draft): Record<string, unknown> {
  const body: Record<string, unknown> = {
    type: draft.type,
    title: draft.title.trim(),
    content: draft.content.trim(),
    reply_wanted: draft.reply_wanted
  }
  if (draft.division) body.division = draft.division
  if (draft.address.trim()) body.address = draft.address.trim()
  if (draft.anonymous) body.anonymous = true
  if (draft.hide) body.secrecy = 1
  if (draft.phone.trim()) body.phone = draft.phone.trim()
  if (draft.name.trim() && !draft.anonymous) body.name = draft.name.trim()
  if (draft.files.length) body.attachments = draft.files.map((file) => file.id)
  return body
}
