import { createI18n } from 'vue-i18n'
import { computed } from 'vue'
import { recall, remember } from './store'

export type Lang = 'zh-CN' | 'en'

type Tree = { [name: string]: string | Tree }

// Chinese unless chosen by hand: the switch is on every page.
function wanted(): Lang {
  const text = recall('lang')
  return text === 'en' ? 'en' : 'zh-CN'
}

let i18n: ReturnType<typeof make> | undefined

function make(zh: Tree, en: Tree) {
  return createI18n({
    legacy: false,
    locale: wanted(),
    fallbackLocale: 'zh-CN',
    missingWarn: false,
    fallbackWarn: false,
    messages: { 'zh-CN': zh, en } as Record<Lang, Tree>
  })
}

export function openI18n(zh: Tree, en: Tree) {
  i18n = make(zh, en)
  document.documentElement.lang = lang.value
  return i18n
}

export const lang = computed<Lang>(() => (i18n ? (i18n.global.locale.value as Lang) : 'zh-CN'))

export function chooseLang(next: Lang): void {
  if (!i18n) return
  i18n.global.locale.value = next
  document.documentElement.lang = next
  remember('lang', next)
}

// Something the engine named in both languages.
export function say(thing: { zh?: string | null; en?: string | null } | null | undefined): string {
  if (!thing) return ''
  return (lang.value === 'en' ? thing.en || thing.zh : thing.zh || thing.en) ?? ''
}

export function nameOf(thing: { name: string; name_en?: string | null } | null | undefined): string {
  if (!thing) return ''
  return lang.value === 'en' && thing.name_en ? thing.name_en : thing.name
}

// For modules outside components.
export function text(key: string, args: Record<string, unknown> = {}): string {
  return i18n ? i18n.global.t(key, args) : key
}

// The same where one and several differ.
export function textOf(key: string, n: number): string {
  return i18n ? i18n.global.t(key, { n: n.toLocaleString('en-US') }, n) : key
}
