import { uploadZh } from './upload'

export default {
  upload: uploadZh,
  product: '12345 工单台',
  again: '再试一次',
  back: '返回',
  cancel: '取消',
  more: '再显示一页',
  slow: '正在读取，请稍候……',
  yes: '是',
  no: '否',
  lost: '连接已中断，显示的是 {at} 的状态。正在重新连接……',
  signIn: {
    lead: '请用工作账号登录。',
    again: '登录已过期，请重新登录；页面上的内容还在。',
    login: '账号',
    password: '密码',
    send: '登录',
    waiting: '登录的人较多，正在自动重试……',
    citizen: '市民诉求页面'
  },
  theme: { title: '配色：{now}，点按换为{next}', system: '跟随系统', light: '浅色', dark: '深色' },
  nav: {
    overviews: '工单总览',
    menu: '菜单',
    search: '搜索：编号、文字或来电号码',
    new: '登记诉求',
    closure: '办结指标',
    signOut: '退出',
    mine: '我的工作',
    byState: '按状态',
    byLight: '按时限灯',
    nothing: '没有在办工单'
  },
  overview: {
    drafts: '暂存',
    accept: '待受理',
    dispatch: '待派单',
    sign: '待签收',
    handle: '办理中',
    audit: '待审核',
    callback: '待回访',
    decide: '待我审批',
    late: '已超期',
    soon: '临期',
    all: '全部在办',
    closed: '已结束'
  },
  column: {
    light: '时限灯', number: '编号', title: '标题', state: '状态', unit: '单位', place: '地点', due: '时限', channel: '来源', time: '提交'
  },
  row: { untitled: '（未填标题）', left: '已离开此列表' },
  list: {
    empty: '没有符合条件的工单。可以放宽筛选条件再看。',
    nothing: '现在没有工单。有新工单时会自动出现在这里。',
    notYours: '您的岗位不查看工单。',
    words: '“{q}”',
    phone: '来电 {phone}',
    forgotten: '要找的号码只留在当初查找的页面里，没有写进网址。请重新输入。'
  },
  filter: { title: '筛选', scope: '范围', open: '在办', ended: '已结束', all: '全部', clear: '清除筛选' },
  light: { green: '正常', yellow: '临期', red: '超期', deep_red: '严重超期', blue: '暂停', none: '不计时' },
  due: {
    left: '还剩 {amount}',
    late: '超期 {amount}',
    workdays: '{n} 个工作日',
    hours: '{n} 小时',
    hoursMinutes: '{h} 小时 {m} 分',
    minutes: '{n} 分钟'
  },
  clocks: { title: '时限', met: '按时完成', metLate: '超期完成', stopped: '已停止', provisional: '（节假日安排未公布，暂定）' },
  flag: {
    danger: '疑似险情，立即回电', supervised: '督办', grouped: '串并', progress_owed: '须阶段性反馈', deemed_signed: '视同签收', rework: '重办', approval_waiting: '待审批', spool_surprise: '暂存补录，请核对', repeat: '重复诉求', provisional: '暂定', quiet: '休息时段'
  },
  place: { district: '区（县）', town: '镇（街道）', village: '村（社区）' },
  ticket: {
    unit: '主办', promise: '承诺答复', complaint: '诉求', history: '办理经过',
    type: '诉求类型', category: '类别', place: '地点', urgency: '紧急程度', secrecy: '保密', wishes: '要求', channel: '来源',
    submitted: '提交时间', person: '诉求人', noText: '（未填内容）', noReplyWanted: '不需要答复',
    tellCode: '请把查询码告诉诉求人：'
  },
  promise: { running: '', kept: '已按时兑现', late: '已超期', paused: '暂停计时', statutory: '法定程序进行中' },
  contact: {
    anonymous: '匿名', noName: '未留姓名', noPhone: '未留电话', reveal: '查看联系方式', hide: '收起', show: '查看',
    why: '请说明用途。查看时间、人员和用途会记入工单。',
    purposeLabel: '用途', purposeMissing: '请填写用途。',
    purpose: { callback: '回访', verify: '核实情况', handle: '联系办理' }
  },
  action: { title: '可办事项', none: '现在没有您可以办理的事项。', done: '{action}：已完成', key: '快捷键 {n}' },
  form: {
    optional: '选填', atLeast: '已写 {have} 字，至少 {n} 字', lines: '每行一条', templates: '常用语',
    asksApproval: '提交后须经审批才生效。',
    unknown: '没有收到回答，不知道是否成功。请再次发送，不会重复办理。',
    stale: '工单刚被他人更新，页面已换成最新内容。您填写的内容还在，请核对后再发送。',
    notNow: '这一步现在不能办理，工单状态为“{state}”。页面已换成最新内容。',
    gone: '工单刚被他人处理，这一步现在不能办理。您填写的内容还在下面。', putAway: '收起',
    sendAgain: '再次发送', sendHint: 'Ctrl + Enter'
  },
  new: { title: '登记诉求', lead: '先存为暂存件，接着在工单页查重、提交或当场答复。', send: '存为暂存件' },
  dup: {
    run: '查重', again: '再次查重', none: '没有相同的在办诉求。', some: '找到 {n} 件相近的诉求，请先看一看：', done: '已查重',
    caller: '同一来电人', place: '同一地点', words: '文字相近', title: '相近的在办诉求'
  },
  route: { title: '派单建议', score: '把握程度（百分制）', take: '采用', auto: '可自动派单' },
  assignment: { title: '承办单位', round: '第 {n} 轮', dispatched: '派单', due: '办理期限' },
  approval: { title: '审批', waits: '等待{role}决定', approved: '已同意', rejected: '不同意', dropped: '已撤销' },
  reply: {
    all: '单位答复', title: '第 {round} 轮第 {version} 稿', result: '办理结果', told: '告知诉求人', submitted: '提交时间', verdict: '审核结论',
    fact_finding: '调查情况', content: '答复内容', measures: '处理措施', legal_basis: '法规依据', public_text: '公开答复',
    verdicts: { approved: '等待审核', passed: '通过', pass: '通过', rejected: '退回重写', reject: '退回重写', unit_rejected: '单位退回', timeout: '超时视同通过' }
  },
  callback: {
    title: '回访', round: '回访', roundOf: '第 {n} 轮，{at}', contacted: '单位是否联系', resolved: '是否解决', process: '过程满意度', result: '结果满意度'
  },
  note: {
    instruction: '办理要求：', opinion: '意见：', comment: '说明：', told_text: '告知内容：', alternative_channel: '其他渠道：', answer_text: '答复内容：',
    fact_finding: '调查情况：', content: '内容：', measures: '措施：', legal_basis: '依据：', public_text: '公开答复：', fail_reason: '未联系上的原因：',
    person: '联系人：', why_no_rework: '不再重办的理由：', must_do: '整改要求：', rework_reason: '重办原因：', no_kb_reason: '未引用知识的原因：',
    public_suggestion: '公开建议：', title: '标题：'
  },
  period: {
    title: '统计期', from: '从', to: '到', until: '至', before: '前一个月', after: '后一个月', month: '本月', lastMonth: '上月', year: '今年'
  },
  by: { unit: '单位', day: '日期', category: '类别', channel: '来源', district: '区县' },
  rate: {
    closure_rate_cohort: '办结率（受理口径）',
    closure_rate_flow: '办结率（收支口径）',
    closure_rate_due: '办结率（应办口径）',
    ontime_sign_rate: '按时签收率',
    ontime_close_rate: '按时办结率',
    direct_answer_rate: '直接办结率',
    return_rate: '退单率',
    rework_rate: '重办率',
    satisfaction_rate: '满意率',
    satisfaction_coverage: '有效回访率',
    graded_satisfaction: '满意度（加权）',
    resolve_rate: '解决率（诉求人评价）'
  },
  count: {
    accepted: '受理',
    set_aside: '受理后作废或并案',
    carried_in: '上期结转',
    on_hand: '受理与结转合计',
    refused: '不予受理',
    unaccepted: '未受理即撤销',
    direct: '直接办结',
    dispatched: '本期首次派单',
    closed: '本期办结',
    closed_of_accepted: '本期受理中已办结',
    withdrawn: '撤诉',
    voided: '作废',
    merged: '并案',
    referred: '转出',
    terminated: '终止办理',
    no_supplement: '逾期未补充（计入办结）',
    open_at_end: '期末在办',
    due: '应办结',
    due_replied: '应办结中已办复',
    due_ontime: '应办结中按时办复',
    sign_due: '应签收',
    sign_ontime: '按时签收',
    reply_accepted: '审核通过的答复',
    reworked: '重办',
    received: '派给单位',
    return_asked: '退单申请',
    called: '应回访',
    rated: '参评',
    satisfied: '满意及以上',
    graded: '满意度加权（十分之一）',
    asked_resolved: '诉求人答复是否解决',
    resolved: '解决加权（十分之一）',
    handled: '有办理时长的办结',
    handled_minutes: '办理分钟数',
    fate_direct: '直接办结',
    fate_dispatched: '已派单（含结转中此前已派）',
    fate_waiting: '待派单',
    fate_withdrawn: '派单前撤诉',
    fate_voided: '派单前作废',
    fate_merged: '派单前并案',
    fate_referred: '派单前转出',
    fate_terminated: '派单前终止',
    fate_no_supplement: '派单前逾期未补充'
  },
  closure: {
    rest: '其余 {n} 件',
    decompositions: '受理量的两种分解',
    identity: '受理去向',
    identity2: '收支平衡',
    sum: '合计',
    formula: '{num} ÷ {den}',
    balanced: '两边相等。',
    unbalanced: '两边不相等，这一期不能发布。',
    others: '其他指标', counts: '数量',
    average: '平均办理时长', median: '办理时长中位数', bucket: '± 一档', hours: '{n} 小时',
    by: '分组查看', trend: '每日受理与办结',
    drop: '取消',
    empty: '这一期没有数据。请换一个统计期。',
    snapshot: '数据时点 {at}；到期事项核至 {swept}；指标规则第 {rule} 版。分母为零时不计算，显示为“—”。',
    without: '另有 {n} 行没有数据，未列出。',
    noTickets: '没有对应的工单。',
    part: { num: '分子', den: '分母', rest: '其余' }
  },
  keys: {
    title: '键盘操作', help: '显示本页', search: '搜索', down: '下一行', up: '上一行', open: '打开', more: '再显示一页', back: '返回列表',
    nextTicket: '下一件', lastTicket: '上一件', reload: '重新读取', action: '打开可办事项', send: '发送表单'
  },
  problem: {
    no_answer: '没有连上服务器。请检查网络后再试。',
    signed_out: '登录已过期，请重新登录。',
    forbidden: '您的岗位不能查看或办理这项内容。',
    missing: '没有这个页面，或者您看不到它。',
    too_many: '操作太频繁，请稍等片刻再试。',
    away: '服务暂时不可用，数据没有丢失。请稍后再试。',
    refused: '没有成功（{code}）。'
  }
}
