import { ref } from 'vue'
import { api, asProblem, onSignedOut } from '@/shared/api'
import type { User } from '@/shared/types'
import { forgetSearches } from './search'

const user = ref<User | null>(null)
// Signed out in the middle of work: the page stays as it is under the sign-in.
const isExpired = ref(false)

onSignedOut(() => {
  if (user.value) isExpired.value = true
})

export function useSession() {
  // True when somebody is signed in; throws when the engine cannot tell.
  async function find(): Promise<boolean> {
    try {
      user.value = (await api.me()).user
      return true
    } catch (error) {
      if (asProblem(error).status !== 401) throw error
      forgetSearches()
      return false
    }
  }

  async function signIn(login: string, password: string): Promise<void> {
    const before = user.value?.id
    user.value = (await api.signIn(login, password)).user
    isExpired.value = false
    if (!before || before === user.value.id) return
    forgetSearches()
    location.assign('/desk/')
  }

  async function signOut(): Promise<void> {
    try {
      await api.signOut()
    } finally {
      forgetSearches()
      location.assign('/desk/')
    }
  }

  return { user, isExpired, find, signIn, signOut }
}
