// The guard of the public doors: a proof of work under attack.
export const doorsZh = {
  proving: '现在提交的人很多，正在本机完成一次计算验证，完成后自动提交，请不要关闭本页。也可以直接拨打',
  unsolved: '您的浏览器无法完成计算验证。请换一个浏览器，或直接拨打 12345，内容一样受理。您写的内容保存在本机。'
}

export const doorsEn: typeof doorsZh = {
  proving: 'Very many people are filing right now, so your device first solves a small calculation; then this is sent by itself. Please keep this page open, or simply call',
  unsolved: 'Your browser cannot solve the calculation. Please try another browser, or call 12345, which takes your complaint just the same. What you wrote is kept on this device.'
}
