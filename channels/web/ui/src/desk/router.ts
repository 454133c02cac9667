import { createRouter, createWebHistory } from 'vue-router'
import ListPage from './pages/ListPage.vue'

export const router = createRouter({
  history: createWebHistory('/desk/'),
  routes: [
    { path: '/', name: 'list', component: ListPage },
    { path: '/ticket/:id', name: 'ticket', component: () => import('./pages/TicketPage.vue') },
    { path: '/new', name: 'new', component: () => import('./pages/NewPage.vue') },
    { path: '/closure', name: 'closure', component: () => import('./pages/ClosurePage.vue') },
    { path: '/closure/tickets', name: 'closure-tickets', component: () => import('./pages/ClosureTickets.vue') },
    { path: '/:rest(.*)*', name: 'missing', component: () => import('./pages/MissingPage.vue') }
  ]
})
