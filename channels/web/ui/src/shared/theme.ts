import { ref } from 'vue'
import { recall, remember } from './store'

export type Theme = 'system' | 'light' | 'dark'

const system = matchMedia('(prefers-color-scheme: dark)')

function given(): Theme {
  const text = recall('theme')
  return text === 'light' || text === 'dark' ? text : 'system'
}

const theme = ref<Theme>(given())
const isDark = ref(document.documentElement.classList.contains('dark'))

function apply(): void {
  isDark.value = theme.value === 'system' ? system.matches : theme.value === 'dark'
  document.documentElement.classList.toggle('dark', isDark.value)
}

system.addEventListener('change', apply)

export function useTheme() {
  function choose(wanted: Theme): void {
    theme.value = wanted
    remember('theme', wanted === 'system' ? null : wanted)
    apply()
  }
  return { theme, isDark, choose }
}
