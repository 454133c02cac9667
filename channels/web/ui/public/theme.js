// Before the first paint: the colour scheme and the language chosen by hand, else the system's.
(function () {
  var html = document.documentElement
  var theme = null
  var lang = null
  try {
    theme = localStorage.getItem('hotline.theme')
    lang = localStorage.getItem('hotline.lang')
  } catch (e) {
    // storage is closed: the system decides
  }
  var dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches
  html.classList.toggle('dark', dark)
  if (lang) html.lang = lang
})()
