import { onScopeDispose, ref, watch, type Ref } from 'vue'

// True once something has been busy for so long that a person should be told.
export function useSlow(isBusy: Ref<boolean>, ms = 200): Ref<boolean> {
  const isSlow = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(
    isBusy,
    (busy) => {
      clearTimeout(timer)
      if (busy) timer = setTimeout(() => (isSlow.value = true), ms)
      else isSlow.value = false
    },
    { immediate: true }
  )
  onScopeDispose(() => clearTimeout(timer))
  return isSlow
}
