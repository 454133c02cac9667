// What a citizen may still say about a complaint, and the page behind the link of a notice.
export const sayZh = {
  can: '您现在可以',
  nothing: '目前没有需要您做的。有新的进展会在这里显示。',
  optional: '（选填）',
  yes: '是',
  no: '否',
  check: '还有内容需要填写，请看下面的提示。',
  sending: '正在提交……',
  waiting: '网络或服务暂时不通，您写的内容已保存在本机。恢复后会自动再次提交，不会重复。关闭本页也不会丢失，下次打开时继续提交。',
  held: '附件还在上传，传完会自动提交。',
  again: '现在再试',
  stop: '不再提交',
  kept: '上次没有提交成功的内容已经恢复，请看一遍再提交。',
  words: {
    rating: { title: '评价', send: '提交评价', done: '您的评价已收到，谢谢。', hint: '只能评价一次。' },
    supplement: { title: '补充情况', send: '提交补充', done: '您补充的情况已收到，继续办理。', hint: '' },
    objection: { title: '对结果提出异议', send: '提出异议', done: '您的异议已收到，热线会复核并告诉您结果。', hint: '只能提出一次，由热线值班长复核。' },
    followups: { title: '催问、补充或表扬', send: '提交', done: '您的话已记录在这件诉求上，承办单位会看到。', hint: '不会另立新的诉求。' },
    withdrawal: {
      title: '撤回诉求', send: '撤回这件诉求', done: '已按您的意愿撤回。',
      hint: '撤回后不再办理，也不能恢复。您已凭查询码证明是本人，不用再核对身份。举报和涉及他人安全的事，热线会继续处理，不再与您联系。'
    }
  },
  fields: {
    rating: {
      contacted_by_unit: '承办单位联系过您吗？', resolved: '事情解决了吗？', sat_process: '对办理过程满意吗？', sat_result: '对办理结果满意吗？',
      comment: '还有什么想说的'
    },
    supplement: { text: '补充的情况', attachments: '照片、短视频' },
    objection: { text: '哪里不对，有什么新的情况' },
    followups: { kind: '您想', text: '想说的话', attachments: '照片、短视频' },
    withdrawal: { reason: '为什么撤回', pressed: '有没有单位或个人要求您撤回？' }
  },
  missing: {
    resolved: '请选择事情是否解决。', sat_result: '请选择对结果是否满意。', text: '请写至少 {n} 个字。', kind: '请选择您想做什么。',
    reason: '请写至少 {n} 个字。', pressed: '请选择有没有人要求您撤回。'
  },
  choice: {
    resolved: { yes: '解决了', partly: '部分解决', no: '没有解决' },
    satisfaction: { very_satisfied: '非常满意', satisfied: '满意', basic: '基本满意', understood: '一般', unsatisfied: '不满意' },
    kind: { query: '问进度', urge: '催一催', supplement: '补充情况', praise: '表扬' }
  },
  link: {
    title: '请您评价',
    lead: '您 {day} 提交的诉求 {number} 已有办理结果。请回答四个问题，一分钟就好。',
    leadUnit: '您 {day} 提交的诉求 {number} 由{unit}办理，已有办理结果。请回答四个问题，一分钟就好。',
    busy: '正在打开……',
    bad: '这个评价链接无效，或者已经作废（重新办理后会另发链接）。您可以用工单号和查询码查看进度。',
    rated: '这件诉求已经评价过，或者不需要评价。谢谢您。',
    closed: '这件诉求已经办结。',
    heard: '热线工作人员会看到您的意见，并与您联系。',
    follow: '用工单号和查询码查看进度'
  },
  wanted: '还需要您补充以下情况，请在 {day} 前提交；期间办理时限暂停计算。',
  objection: { waits: '您的异议正在复核。', rejected: '您的异议经复核不成立：{why}' },
  merged: '这件诉求已与 {number} 合并办理。',
  looks: {
    title: '谁看过您的联系方式',
    lead: '每次查看都要说明用途，并留下记录。',
    none: '还没有人查看过。',
    times: '{n} 次'
  }
}

export const sayEn: typeof sayZh = {
  can: 'What you can do now',
  nothing: 'There is nothing for you to do at the moment. What is new will be shown here.',
  optional: '(optional)',
  yes: 'Yes',
  no: 'No',
  check: 'Something is still missing; see below.',
  sending: 'Sending …',
  waiting: 'There is no connection at the moment. What you wrote is kept on this device and will be sent again by itself, once only. If you close this page, it goes on when you open it again.',
  held: 'Files are still on their way; it will be sent as soon as they are there.',
  again: 'Try now',
  stop: 'Do not send it',
  kept: 'What could not be sent last time is back. Read it once more before you send it.',
  words: {
    rating: { title: 'Rate', send: 'Send the rating', done: 'Your rating has arrived. Thank you.', hint: 'You can rate once.' },
    supplement: { title: 'Give the facts', send: 'Send the facts', done: 'Your facts have arrived; the work goes on.', hint: '' },
    objection: { title: 'Object to the result', send: 'Send the objection', done: 'Your objection has arrived; the hotline will review it and tell you.', hint: 'You can object once; the shift lead of the hotline decides.' },
    followups: { title: 'Ask, urge, add or praise', send: 'Send', done: 'Your words are on record; the unit will read them.', hint: 'This does not open a new case.' },
    withdrawal: {
      title: 'Withdraw it', send: 'Withdraw this case', done: 'It is withdrawn as you wish.',
      hint: 'Work on it ends and cannot be resumed. Your query code has proved who you are. A report, or what endangers others, is continued by the hotline without you.'
    }
  },
  fields: {
    rating: {
      contacted_by_unit: 'Did the unit contact you?', resolved: 'Is it solved?', sat_process: 'Are you satisfied with the handling?',
      sat_result: 'Are you satisfied with the result?', comment: 'Anything else'
    },
    supplement: { text: 'The facts', attachments: 'Photos, short films' },
    objection: { text: 'What is wrong, and what is new' },
    followups: { kind: 'You want to', text: 'Your words', attachments: 'Photos, short films' },
    withdrawal: { reason: 'Why', pressed: 'Did anybody ask you to withdraw it?' }
  },
  missing: {
    resolved: 'Choose whether it is solved.', sat_result: 'Choose how satisfied you are with the result.', text: 'Write at least {n} characters.',
    kind: 'Choose what you want to do.', reason: 'Write at least {n} characters.', pressed: 'Choose whether anybody asked you to.'
  },
  choice: {
    resolved: { yes: 'Yes', partly: 'Partly', no: 'No' },
    satisfaction: { very_satisfied: 'Very satisfied', satisfied: 'Satisfied', basic: 'Basically satisfied', understood: 'So-so', unsatisfied: 'Unsatisfied' },
    kind: { query: 'Ask how it stands', urge: 'Urge', supplement: 'Add facts', praise: 'Praise' }
  },
  link: {
    title: 'How did it go?',
    lead: 'There is a result for {number}, which you sent on {day}. Four questions, one minute.',
    leadUnit: 'There is a result for {number}, which you sent on {day} and which {unit} dealt with. Four questions, one minute.',
    busy: 'Opening …',
    bad: 'This link is not valid, or no longer (after rework you get a new one). You can follow your case with its number and query code.',
    rated: 'This case has been rated already, or needs no rating. Thank you.',
    closed: 'The case is closed.',
    heard: 'The hotline will read what you say and get in touch with you.',
    follow: 'Follow it with number and query code'
  },
  wanted: 'More facts are needed from you by {day}; the clocks stand still meanwhile:',
  objection: { waits: 'Your objection is being reviewed.', rejected: 'Your objection was reviewed and rejected: {why}' },
  merged: 'This case is dealt with under {number}.',
  looks: {
    title: 'Who looked at your contact data',
    lead: 'Everybody who looks must say why, and it is recorded.',
    none: 'Nobody yet.',
    times: 'times: {n}'
  }
}
