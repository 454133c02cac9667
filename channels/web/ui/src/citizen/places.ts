import { computed, ref, shallowRef } from 'vue'
import { api } from '@/shared/api'
import type { Division, PublicReference, Word } from '@/shared/types'
import { hear } from './phoneCode'

const LENGTH = [4, 6, 9, 12]

// The city's places: district and town at once, villages when their town is chosen.
export function usePlaces() {
  const types = shallowRef<Word[]>([])
  const divisions = shallowRef<Division[]>([])
  const villages = shallowRef<Record<string, Division[]>>({})
  const isMissing = ref(false)

  async function load(): Promise<void> {
    try {
      const found: PublicReference = await api.publicReference()
      types.value = found.types
      divisions.value = found.divisions
      hear(found.phone_code)
      isMissing.value = false
    } catch {
      isMissing.value = true
    }
  }

  async function open(town: string): Promise<void> {
    if (!town || villages.value[town]) return
    try {
      const found = await api.publicDivisions(town)
      villages.value = { ...villages.value, [town]: found.divisions }
    } catch {
      // The town is place enough.
    }
  }

  const city = computed(() => divisions.value.find((d) => d.level === 1)?.code ?? '')
  const below = (parent: string) => (parent ? (villages.value[parent] ?? divisions.value.filter((d) => d.parent === parent)) : [])
  const part = (code: string, level: number) => (code.length >= LENGTH[level] ? code.slice(0, LENGTH[level]) : '')

  return { types, city, below, part, load, open, isMissing }
}
