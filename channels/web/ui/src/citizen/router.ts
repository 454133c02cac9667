import { createRouter, createWebHistory } from 'vue-router'
import FilePage from './pages/FilePage.vue'
import HomePage from './pages/HomePage.vue'

export const router = createRouter({
  history: createWebHistory('/'),
  scrollBehavior: () => ({ top: 0 }),
  routes: [
    { path: '/', component: HomePage },
    { path: '/file', component: FilePage },
    { path: '/follow', component: () => import('./pages/FollowPage.vue') },
    { path: '/:rest(.*)*', redirect: '/' }
  ]
})
