import { createApp } from 'vue'
import en from '@/locales/citizen.en'
import zh from '@/locales/citizen.zh'
import { openI18n } from '@/shared/i18n'
import '@/style/tokens.css'
import '@/style/base.css'
import '@/style/citizen.css'
import App from './App.vue'
import { router } from './router'

createApp(App).use(openI18n(zh, en)).use(router).mount('#app')
