// What a citizen may say about a complaint: the route each takes, the name under which the engine offers it, and what it asks.

export type Word = 'supplement' | 'rating' | 'objection' | 'followups' | 'withdrawal'

export interface Asked {
  name: string
  kind: 'yesno' | 'choice' | 'text' | 'files'
  must?: boolean
  set?: string // of the sentences of its choices
  values?: string[]
  min?: number
  max?: number
}

const SATISFACTION = ['very_satisfied', 'satisfied', 'basic', 'understood', 'unsatisfied']

// In the order in which they are offered.
export const WORDS: Record<Word, { may: string; asked: Asked[] }> = {
  supplement: { may: 'supplement', asked: [{ name: 'text', kind: 'text', must: true, min: 2, max: 5000 }, { name: 'attachments', kind: 'files' }] },
  rating: {
    may: 'rate',
    asked: [
      { name: 'contacted_by_unit', kind: 'yesno' },
      { name: 'resolved', kind: 'choice', must: true, set: 'resolved', values: ['yes', 'partly', 'no'] },
      { name: 'sat_process', kind: 'choice', set: 'satisfaction', values: SATISFACTION },
      { name: 'sat_result', kind: 'choice', must: true, set: 'satisfaction', values: SATISFACTION },
      { name: 'comment', kind: 'text', max: 1000 }
    ]
  },
  objection: { may: 'object', asked: [{ name: 'text', kind: 'text', must: true, min: 5, max: 2000 }] },
  followups: {
    may: 'followup',
    asked: [
      { name: 'kind', kind: 'choice', must: true, set: 'kind', values: ['query', 'urge', 'supplement', 'praise'] },
      { name: 'text', kind: 'text', must: true, min: 2, max: 2000 },
      { name: 'attachments', kind: 'files' }
    ]
  },
  withdrawal: {
    may: 'withdraw',
    asked: [{ name: 'reason', kind: 'text', must: true, min: 2, max: 1000 }, { name: 'pressed', kind: 'yesno', must: true }]
  }
}
