import { computed, shallowRef } from 'vue'
import { api } from '@/shared/api'
import { nameOf, say } from '@/shared/i18n'
import { learnCalendar } from '@/shared/time'
import type { Category, Division, Policy, Reference, Unit } from '@/shared/types'

const empty: Reference = {
  words: {}, categories: [], divisions: [], units: [], policies: [], templates: [], roles: [], actions: [], rights: [], calendar: { days: [] }
}
const reference = shallowRef<Reference>(empty)
// Level 4 comes when somebody opens its parent.
const villages = shallowRef<Record<string, Division[]>>({})

const units = computed(() => new Map(reference.value.units.map((u) => [String(u.id), u])))
const categories = computed(() => new Map(reference.value.categories.map((c) => [c.code, c])))
const categoryById = computed(() => new Map(reference.value.categories.map((c) => [String(c.id), c])))
const divisions = computed(() => {
  const all = new Map(reference.value.divisions.map((d) => [d.code, d]))
  for (const list of Object.values(villages.value)) for (const d of list) all.set(d.code, d)
  return all
})

// The parent is named by id or by code.
function parentOf(category: Category): Category | undefined {
  if (category.parent === null) return undefined
  return categories.value.get(category.parent) ?? categoryById.value.get(String(category.parent))
}

export function useReference() {
  async function load(): Promise<void> {
    reference.value = { ...empty, ...(await api.reference()) }
    learnCalendar(reference.value.calendar)
  }

  async function loadVillages(town: string): Promise<Division[]> {
    if (!villages.value[town]) {
      const list = (await api.divisions(town)).divisions
      villages.value = { ...villages.value, [town]: list }
    }
    return villages.value[town]
  }

  function word(kind: string, name: string | number | null | undefined): string {
    if (name === null || name === undefined || name === '') return ''
    const found = reference.value.words[kind]?.find((w) => w.name === String(name))
    return found ? say(found) : String(name)
  }

  // The first of these kinds that knows the word.
  function anyWord(kinds: string[], name: string): string {
    for (const kind of kinds) {
      const found = reference.value.words[kind]?.find((w) => w.name === name)
      if (found) return say(found)
    }
    return name
  }

  // Has this person's role the right at all?  Whether a ticket allows it now is another question.
  function may(right: string): boolean {
    return reference.value.rights.includes(right)
  }

  function role(code: string): string {
    return say(reference.value.roles.find((r) => r.code === code)) || code
  }

  function unit(id: string | number): Unit | undefined {
    return units.value.get(String(id))
  }

  function categoryPath(category: Category): string {
    const parent = parentOf(category)
    return (parent ? categoryPath(parent) + ' / ' : '') + nameOf(category)
  }

  function category(code: string | null | undefined): string {
    const found = code ? categories.value.get(code) : undefined
    return found ? categoryPath(found) : (code ?? '')
  }

  function division(code: string | null | undefined): string {
    const found = code ? divisions.value.get(code) : undefined
    return found ? nameOf(found) : (code ?? '')
  }

  function divisionChildren(parent: string): Division[] {
    return [...divisions.value.values()].filter((d) => d.parent === parent)
  }

  function policy(code: string): Policy | undefined {
    return reference.value.policies.find((p) => p.code === code)
  }

  return {
    reference, load, loadVillages, may, word, anyWord, role, unit, category, categoryPath, division, divisions,
    divisionChildren, policy
  }
}
