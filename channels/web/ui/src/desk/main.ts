import { createApp } from 'vue'
import en from '@/locales/desk.en'
import zh from '@/locales/desk.zh'
import { openI18n } from '@/shared/i18n'
import '@/style/tokens.css'
import '@/style/base.css'
import './element'
import '@/style/desk.css'
import App from './App.vue'
import { router } from './router'

createApp(App).use(openI18n(zh, en)).use(router).mount('#app')
