// The guard of the public doors: a proof of work under attack, and a code for the phone.
export const doorsZh = {
  proving: '现在提交的人很多，正在本机完成一次计算验证，完成后自动提交，请不要关闭本页。也可以直接拨打',
  unsolved: '您的浏览器无法完成计算验证。请换一个浏览器，或直接拨打 12345，内容一样受理。您写的内容保存在本机。',
  phoneWhy: '为防止冒用他人号码，请用短信验证码确认这个手机号。',
  send: '获取验证码',
  sendIn: '{n} 秒后可再发',
  sendAgain: '再发一次',
  code: '短信中的 6 位验证码',
  confirm: '确认',
  late: '没收到？可以再发一次，先后收到的都有效；也可以匿名提交，或直接拨打',
  phoneShown: '手机号已确认'
}

export const doorsEn: typeof doorsZh = {
  proving: 'Very many people are filing right now, so your device first solves a small calculation; then this is sent by itself. Please keep this page open, or simply call',
  unsolved: 'Your browser cannot solve the calculation. Please try another browser, or call 12345, which takes your complaint just the same. What you wrote is kept on this device.',
  phoneWhy: 'So that nobody files under the number of somebody else, please confirm this mobile number by a code.',
  send: 'Send me a code',
  sendIn: 'Again in {n} s',
  sendAgain: 'Send it again',
  code: 'The 6 digits in the message',
  confirm: 'Confirm',
  late: 'No message? Have it sent again, whichever comes is right; or file anonymously, or simply call',
  phoneShown: 'The number is confirmed'
}
