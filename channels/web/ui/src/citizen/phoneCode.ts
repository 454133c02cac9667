import { computed, ref } from 'vue'
import { api, type Problem } from '@/shared/api'
import { newKey } from '@/shared/key'
import { recallJson, remember } from '@/shared/store'

// Where the city asks for it, a code by short message shows that the phone is its writer's.  The proof of it is kept in the browser beside the
// unsent words, and after that only as long as the page is open.

interface Proof {
  phone: string
  proof: string
  until: number
}

const NAME = 'phone_proof'
const isAsked = ref(false)
const refusals = ref(0)
const kept = ref<Proof | null>(recallJson<Proof>(NAME))

// As the engine reads a number: full-width digits, blanks, dashes, +86.
function plain(phone: string): string {
  return phone
    .replace(/[０-９＋]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[\s()（）-]/g, '')
    .replace(/^(\+|00)?86(?=1\d{10}$)/, '')
}

const isMobile = (phone: string) => /^1[3-9]\d{9}$/.test(plain(phone))

function proofOf(phone: string): string | undefined {
  const one = kept.value
  return one && one.phone === plain(phone) && one.until > Date.now() ? one.proof : undefined
}

// The engine says whether a code is asked for.
export function hear(asked: boolean | undefined): void {
  isAsked.value = asked === true
}

// What a complaint with this phone brings along.
export function proofHeaders(phone: string): Record<string, string> {
  const proof = proofOf(phone)
  return proof ? { 'X-Phone-Proof': proof } : {}
}

// Refused for want of a proof: then one is asked for, whatever was known before.
export function hearRefusal(problem: Problem): void {
  if (problem.code !== 'phone_code_needed') return
  isAsked.value = true
  keep(null)
  refusals.value++
}

// The words are sent: on a shared computer nothing of them stays.
export const forgetProof = () => remember(NAME, null)

function keep(one: Proof | null): void {
  kept.value = one
  remember(NAME, one)
}

export function usePhoneCode(phone: () => string) {
  const isNeeded = computed(() => isAsked.value && isMobile(phone()))
  const isShown = computed(() => proofOf(phone()) !== undefined)

  // → so many seconds until it may be sent again
  async function send(headers: Record<string, string>): Promise<number> {
    return (await api.sendPhoneCode(phone(), newKey(), headers)).again_seconds
  }

  async function check(code: string): Promise<void> {
    const number = plain(phone())
    const { proof, good_seconds } = await api.checkPhoneCode(number, code, newKey())
    keep({ phone: number, proof, until: Date.now() + good_seconds * 1000 })
  }

  return { isNeeded, isShown, refusals, send, check }
}
