package text

import "strings"

// words are one line of a page in both languages; {1} to {4} stand for what it
// is filled with.
type words struct{ zh, en string }

// Line is one line of a page. An argument that begins with @ is a key itself. A
// key without words says so with the key.
func Line(lang Lang, key string, a ...string) string {
	w, ok := lines[key]
	if !ok {
		return key
	}
	s := w.zh
	if lang == EN {
		s = w.en
	}
	for i, x := range a {
		if k, found := strings.CutPrefix(x, "@"); found {
			x = Line(lang, k)
		}
		s = strings.ReplaceAll(s, "{"+string(rune('1'+i))+"}", x)
	}
	return strings.TrimRight(s, " ")
}

// HasLine tells whether a key has words.
func HasLine(key string) bool { _, ok := lines[key]; return ok }

// LineKeys lists all keys.
func LineKeys() (keys []string) {
	for k := range lines {
		keys = append(keys, k)
	}
	return keys
}

// lines are the words of the pages beside selling. What a page says of money is
// what the books of the device say, and of whom: the host's word, or none yet.
var lines = func() map[string]words {
	all := map[string]words{}
	for _, table := range []map[string]words{checkLines, watchLines, staffLines, deskLines, careLines, runLines, whyLines} {
		for k, w := range table {
			all[k] = w
		}
	}
	return all
}()

var checkLines = map[string]words{
	"check.begin":    {"确认键: 开始自检(不动钱)", "Enter: check now (moves no money)"},
	"check.running":  {"自检中…", "Checking..."},
	"check.done":     {"自检 {1}/{2} 通过  {3}", "Self-check {1}/{2} passed  {3}"},
	"tamper.head":    {"机壳被打开,密钥已清除。{1}笔未结清,导出后交收单机构:", "Case opened, keys erased. Not settled, export them for the acquirer: {1}"},
	"tamper.row":     {"{1} {2} {3}", "{1} {2} {3}"},
	"tamper.bare":    {"{1} {2} {3} 无卡号", "{1} {2} {3} no number"},
	"tamper.next":    {"postool recovery export", "postool recovery export"},
	"check.row":      {"{2} {1} {3}", "{2} {1} {3}"},
	"check.msr":      {"磁条读卡", "stripe reader"},
	"check.icc":      {"芯片读卡", "chip slot"},
	"check.keypad":   {"键盘", "keypad"},
	"check.pinpad":   {"密码键盘", "PIN pad"},
	"check.printer":  {"打印机和纸", "printer, paper"},
	"check.keys":     {"密钥", "keys"},
	"check.clock":    {"时钟(与主机差)", "clock, off by"},
	"check.store":    {"存储空间", "storage"},
	"check.backup":   {"备份", "backup"},
	"check.cert":     {"证书", "certificate"},
	"check.modem":    {"无线模块", "modem"},
	"check.echo":     {"主机回响", "host echo"},
	"check.rules":    {"规则", "rules"},
	"check.version":  {"程序和参数(天)", "program, parameters"},
	"check.tamper":   {"防拆", "case"},
	"check.recovery": {"恢复密钥", "recovery key"},
	"check.log":      {"日志(丢失条数)", "log, lost"},
	"state.good":     {"[好]", "[ok]  "},
	"state.bad":      {"[坏]", "[BAD] "},
	"state.warn":     {"[看]", "[look]"},
	"state.absent":   {"[无]", "[none]"},
}

var watchLines = map[string]words{
	"m.forms":           {"收款次数", "payments"},
	"m.repeats":         {"同卡重复", "same card again"},
	"m.declines":        {"银行拒绝", "bank refusals"},
	"m.unknowns":        {"无应答", "no answer"},
	"m.fails":           {"读卡失败", "misread cards"},
	"m.undos":           {"中途取消", "given up"},
	"m.refunds":         {"退货撤销", "refunds, voids"},
	"m.overrides":       {"主管授权", "approvals"},
	"watch.learning":    {"正在学习本店规律,已学{1}天(需14天)", "Learning what is usual: {1} of 14 days"},
	"watch.new":         {"本小时 {1} {2}", "This hour: {1} {2}"},
	"watch.row":         {"本小时 {1} {2} (平常{3})", "This hour: {1} {2} (usual {3})"},
	"watch.odd":         {"! 本小时 {1} {2},高于平常{3}", "! This hour: {1} {2}, usual {3}"},
	"alert.none":        {"没有预警", "No alerts"},
	"alert.head":        {"预警: 待看{1}条,待送{2}条。确认键=已看", "Alerts: {1} open, {2} to deliver. Enter: seen"},
	"alert.row":         {"{1} {2} ×{3}", "{1} {2} x{3}"},
	"alert.state":       {"  {1}: {2},{3}", "  {1}: {2}, {3}"},
	"alert.queued":      {"已排队,待送达", "queued"},
	"alert.taken":       {"已送达", "delivered"},
	"alert.open":        {"待看", "open"},
	"alert.acked":       {"已看", "seen"},
	"route.merchant":    {"商户", "merchant"},
	"route.acquirer":    {"收单风控", "acquirer's risk desk"},
	"route.maintenance": {"维修", "maintenance"},
	"route.security":    {"安全", "security"},
	"a.odd":             {"  {1} {2}次,高于平常{3}", "  {1}: {2}, usual {3}"},
	"a.rule":            {"  规则{1}: {2}次,需核对", "  rule {1}: {2}, to be checked"},
	"a.fault":           {"  设备原因 {1},把握{2}%", "  device: {1}, {2} %"},
	"a.tamper":          {"  机壳被打开,已停用", "  the case was opened; out of use"},
	"a.settle":          {"  批次{1}未结算", "  batch {1} is not settled"},
	"a.unresolved":      {"  {1}笔需要人工处理", "  {1} to be settled by hand"},
	"a.overrides":       {"  {1}号一小时授权{2}次", "  operator {1}: {2} approvals in an hour"},
	"a.refused":         {"  规则文件有错,没有启用。看日志E-RUL-01", "  a rule file is wrong and not in force: log E-RUL-01"},
	"a.check":           {"  自检 {1}/{2}", "  self-check {1}/{2}"},
	"peak.learning":     {"已学{1}天,两天后开始预测", "Learned {1} days; a forecast after two"},
	"peak.at":           {"预计今天 {1}:00-{2}:00 高峰,约{3}笔", "Peak expected {1}:00-{2}:00, about {3}"},
	"peak.before":       {"提前: 签到 换纸 结算 充电", "Before: sign on, paper, settle, charge"},
	"peak.none":         {"今天没有明显高峰", "No peak expected today"},
	"peak.pace":         {"忙时按顺序刷卡,每笔约{1}秒。不会因忙拒收", "One card at a time, about {1} s. Nobody is refused for load"},
	"peak.row":          {"{1}时 平常{2} 今天{3} {4}", "{1}h usual {2} today {3} {4}"},
}

var staffLines = map[string]words{
	"staff.none":          {"还没有操作员签到。菜单-店务-签到", "No operator has signed on. Menu, shop, on"},
	"staff.head":          {"{1}号  考核 {2}/100 (近7天)", "Operator {1}  score {2}/100 (7 days)"},
	"staff.today":         {"  今日收款{1}笔,平均{2}秒,被拒{3}", "  today {1} sales, {2} s each, {3} refused"},
	"staff.slips":         {"  今日误操作{1}次,最多: {2}", "  today {1} slips, most: {2}"},
	"staff.money":         {"  撤销{1} 退货{2} 主管授权{3}", "  voids {1} refunds {2} approvals {3}"},
	"staff.part":          {"  {1} {2}次  {3}分", "  {1} {2}: {3}"},
	"staff.topic":         {"  需补训: {1}", "  retrain: {1}"},
	"staff.low":           {"  低于60: 退货暂停,补训后恢复", "  below 60: no refunds until retrained"},
	"staff.contested":     {"  商户有异议 {1},限制暂停", "  contested {1}: the restriction rests"},
	"staff.formula":       {"算法: 100-误操作2-取消2-授权5-无原单退货20,按每百笔减免,补训加分", "100 -2 slip -2 cancel -5 approval -20 refund without sale; some free per 100 sales; lessons add"},
	"staff.contest":       {"按9: 对本人得分提出异议", "9: contest the score of who is signed on"},
	"slip.misuse":         {"顺序或方式不对", "order or way in"},
	"slip.input":          {"输入错误", "wrong entries"},
	"slip.undo":           {"中途取消", "given up"},
	"slip.none":           {"无", "none"},
	"score.misuse":        {"误操作", "slips"},
	"score.undos":         {"中途取消", "given up"},
	"score.overrides":     {"主管授权", "approvals"},
	"score.nosale":        {"无原单退货", "refund without sale"},
	"score.lessons":       {"补训通过", "lessons passed"},
	"lesson.sale.do":      {"收款12.34元", "sell 12.34"},
	"lesson.repeat.do":    {"收12.34元,同卡再刷一次", "sell 12.34, then the same card again"},
	"lesson.unknown.do":   {"收12.34元,无应答时等待", "sell 12.34, and wait"},
	"lesson.refund.do":    {"收款一笔,再退货", "a sale, then its refund"},
	"lesson.interface.do": {"收12.34元,按提示换卡", "sell 12.34 as the screen says"},
	"lesson.sale":         {"收款一笔", "a sale"},
	"lesson.repeat":       {"同卡再刷", "the same card again"},
	"lesson.unknown":      {"没有应答", "no answer"},
	"lesson.refund":       {"退货", "a refund"},
	"lesson.interface":    {"芯片卡要插", "insert a chip"},
	"train.safe":          {"训练不连网络,不会扣款,断电即退出", "Training has no line: NO CHARGE. It ends with the power"},
	"train.row":           {"{1} {2}  成绩 {3}", "{1} {2}  mark {3}"},
	"train.keys":          {"按1-5开始一课,80分通过", "1-5 begins a lesson; 80 passes"},
}

var deskLines = map[string]words{
	"ticket.ask":     {"上一笔的顾客反馈: 1 已扣两次 2 未收到小票 3 其他", "About the last payment: 1 charged twice 2 no slip 3 other"},
	"ticket.open":    {"未结{1}件,超24小时{2}件。0=结最早一件", "{1} open, {2} over 24 h. 0 closes the oldest"},
	"ticket.no":      {"工单 {1}  {2}", "Ticket {1}  {2}"},
	"ticket.sort.1":  {"顾客反馈: 已扣两次", "Customer: charged twice"},
	"ticket.sort.2":  {"顾客反馈: 未收到小票", "Customer: no slip"},
	"ticket.sort.3":  {"顾客反馈: 其他", "Customer: other"},
	"ticket.sale":    {"{1}元 卡{2} 流水{3}", "RMB {1} card {2} STAN {3}"},
	"fate.paid":      {"结果: {1}元 收款成功", "Result: RMB {1} was paid"},
	"fate.declined":  {"结果: {1}元 银行拒绝", "Result: RMB {1} refused by the bank"},
	"fate.open":      {"结果: {1}元 结果未知,正在冲正", "Result: RMB {1} unknown, being reversed"},
	"fate.reversed":  {"结果: {1}元 冲正成功", "Result: RMB {1} was reversed"},
	"fate.voided":    {"结果: {1}元 已撤销", "Result: RMB {1} was voided"},
	"fate.none":      {"结果: 本机没有这笔记录", "Result: no such payment in this device"},
	"step.paid":      {"  {1} 成功 {2}元 {3}", "  {1} paid RMB {2} {3}"},
	"step.declined":  {"  {1} 拒绝 {2}元 {3}", "  {1} refused RMB {2} {3}"},
	"step.unknown":   {"  {1} 无应答 {2}元 {3}", "  {1} no answer RMB {2} {3}"},
	"step.reversed":  {"  {1} 冲正 {2}元 {3}", "  {1} reversed RMB {2} {3}"},
	"step.refund":    {"  {1} 退货 {2}元 {3}", "  {1} refund RMB {2} {3}"},
	"step.void":      {"  {1} 撤销 {2}元 {3}", "  {1} void RMB {2} {3}"},
	"step.stopped":   {"  {1} 规则拦下 {2}元 {3}", "  {1} stopped by a rule RMB {2} {3}"},
	"step.absorbed":  {"  {1} 重复刷卡,未再发送 {2}元 {3}", "  {1} same swipe, not sent again RMB {2} {3}"},
	"step.confirmed": {"  {1} 确认为第二笔 {2}元 {3}", "  {1} confirmed as a second one RMB {2} {3}"},
	"limits.none":    {"近{1}天没有限额受阻", "No limits met in {1} days"},
	"limits.no":      {"凭证编号 {1},可交银行申请提额", "Reference {1}, for the bank"},
	"limits.row":     {"{1}: {2}次,共{3}元", "{1}: {2} times, RMB {3}"},
	"limits.lost":    {"  其中{1}次改用别的方式付成;流失{2}元", "  {1} paid another way; RMB {2} lost"},
	"limits.bank":    {"与本机无关,是银行的限额", "The limits are the bank's, not this device's"},
	"limits.print":   {"按确认键打印", "Enter prints it"},
	"spot.begin":     {"确认键: 抽查最近3笔签购单", "Enter: check three slips"},
	"spot.never":     {"还没有抽查过", "None so far"},
	"spot.passed":    {"上次 {1} 通过,{2}笔", "Last {1}: passed, {2} slips"},
	"spot.failed":    {"上次 {1} 有{2}笔不符", "Last {1}: {2} not right"},
	"spot.again":     {"整改后复查,不晚于 {1}", "Check again by {1}"},
	"spot.wait":      {"  {1} 流水{2} {3}元 {4}", "  {1} STAN {2} RMB {3} {4}"},
	"spot.now":       {"> {1} 流水{2} {3}元 {4}", "> {1} STAN {2} RMB {3} {4}"},
	"spot.right":     {"好 {1} 流水{2} {3}元 {4}", "ok {1} STAN {2} RMB {3} {4}"},
	"spot.wrong":     {"错 {1} 流水{2} {3}元 {4}", "no {1} STAN {2} RMB {3} {4}"},
	"spot.keys":      {"签购单在,金额签名都对按1;缺或不对按2", "Slip there, sum and signature right: 1; else 2"},
	"spot.done":      {"抽查完成,不符{1}笔", "Done, {1} not right"},
}

var careLines = map[string]words{
	"care.msr":       {"清洁磁头", "clean the stripe head"},
	"care.icc":       {"清洁卡槽", "clean the chip slot"},
	"care.printer":   {"清洁打印头", "clean the printer"},
	"care.keypad":    {"检查键盘", "look at the keypad"},
	"care.seal":      {"检查封条和外壳", "look at seals and case"},
	"care.inspect":   {"全面检查", "inspect it all"},
	"care.row":       {"   {1} {2} {3}/{4}天", "   {1} {2} {3}/{4} d"},
	"care.due":       {"!! {1} {2} {3}/{4}天 到期", "!! {1} {2} {3}/{4} d due"},
	"care.done":      {"做完后按确认键,技术员输密码登记", "When done: enter, technician's PIN"},
	"care.call":      {"服务电话 {1}  合同 {2}", "Service {1}  contract {2}"},
	"asset.head":     {"设备资产{1}项,{2}项到期", "{1} assets, {2} due"},
	"asset.row":      {"  {1}: {2}", "  {1}: {2}"},
	"asset.soon":     {"! {1}: {2} 还有{3}天", "! {1}: {2}, {3} days left"},
	"asset.over":     {"!! {1}: {2} 已过期", "!! {1}: {2} is over"},
	"as.device":      {"机型", "device"},
	"as.serial":      {"序列号", "serial number"},
	"as.version":     {"程序", "program"},
	"as.terminal":    {"终端号", "terminal"},
	"as.merchant":    {"商户号", "merchant"},
	"as.place":       {"登记地址", "registered place"},
	"as.sim":         {"SIM卡", "SIM"},
	"as.seal":        {"封条", "seal"},
	"as.case":        {"防拆状态", "case"},
	"as.keys":        {"密钥", "keys"},
	"as.deposit":     {"押金", "deposit"},
	"as.contract":    {"服务合同", "contract"},
	"as.cert":        {"检定证书", "certificate"},
	"as.part":        {"部件", "part"},
	"as.whole":       {"完好", "whole"},
	"as.open":        {"打开过", "was opened"},
	"as.there":       {"已装载", "there"},
	"as.missing":     {"没有", "missing"},
	"logout.held":    {"日志 {1} 条,最早 {2}", "{1} entries, the oldest of {2}"},
	"logout.ask":     {"确认键: 技术员登录后导出", "Enter: a technician takes it out"},
	"logout.stick":   {"1: 复制到U盘", "1: copy it to the stick"},
	"logout.none":    {"没有插入U盘", "No USB stick is here"},
	"logout.last":    {"2: 最近记录显示为二维码", "2: the last entries as QR codes"},
	"logout.sale":    {"3: 上一笔交易显示为二维码", "3: the last transaction as QR codes"},
	"logout.send":    {"4: 上送最近记录到银行主机", "4: send the last entries to the host"},
	"logout.making":  {"正在准备上送…", "Being made ready to send..."},
	"logout.sending": {"上送中: {1}/{2} 段。可照常收款", "Being sent: {1} of {2}. Sales may go on"},
	"logout.sent":    {"已上送,共 {1} 段", "Sent, {1} pieces"},
	"logout.refused": {"主机不接收日志,应答 {1}", "The host takes no log, it answered {1}"},
	"logout.givenup": {"未能上送,主机收到 {1}/{2} 段", "Not sent; the host has {1} of {2}"},
	"logout.unmade":  {"未能准备上送: {1}", "Not made ready to send: {1}"},
	"logout.busy":    {"正在复制,请勿拔出U盘…", "Copying. Leave the stick in..."},
	"logout.done":    {"已复制: {1}。可以拔出U盘", "Copied: {1}. The stick may go"},
	"logout.failed":  {"复制失败: {1}", "Not copied: {1}"},
	"logout.code":    {"{1}/{2} 扫描后按任意数字键", "{1} of {2}. Scan it, then any digit"},
	"logout.code1":   {"{1}/{2}\n扫描后按\n数字键", "{1}/{2}\nScan,\nkey 0-9"},
	"logout.small":   {"此屏幕太小,显示不了二维码", "This display is too small for QR codes"},
	"survey.begin":   {"确认键: 开始。拿着机器慢走,每处停20秒", "Enter begins. Walk slowly, 20 s at each place"},
	"survey.left":    {"还有 {1}", "{1} left"},
	"survey.row":     {"位置{1} 信号{2} ({3}) {4}次", "place {1} signal {2} ({3}) {4} times"},
	"survey.best":    {"最好: 位置{1}", "Best: place {1}"},
	"survey.nothing": {"还没有测到信号", "Nothing measured yet"},
	"survey.carrier": {"最好的位置也常断网: 换运营商,或接有线", "No network even at the best place: another carrier, or a cable"},
	"survey.noise":   {"信号强但误码多: 移开附近的设备", "Strong, and many errors: move what stands near"},
	"survey.booster": {"信号弱(需≥10): 靠窗,或加装信号放大器", "Weak (10 are needed): a window, or a booster"},
	"survey.antenna": {"信号偏弱: 加外接天线更稳", "Rather weak: an outside antenna helps"},
	"survey.move":    {"换到最好的位置即可", "Move it to the best place"},
	"survey.good":    {"信号良好", "The signal is good"},
	"survey.before":  {"上次 {1} 最好{2},这次{3}", "Before, {1}: best {2}, now {3}"},
	"survey.last":    {"上次 {1} 最好{2}", "Last, {1}: best {2}"},
	"survey.keys":    {"换位置按1,结束按确认键", "1: another place. Enter: done"},
	"keys.tmk":       {"主密钥    {1}", "Master key   {1}"},
	"keys.pik":       {"密码密钥  {1}", "PIN key      {1}"},
	"keys.mak":       {"MAC密钥   {1}", "MAC key      {1}"},
	"keys.tdk":       {"磁道密钥  {1}", "Track key    {1}"},
	"keys.on":        {"已签到", "signed on"},
	"keys.off":       {"未签到", "not signed on"},
	"keys.begin":     {"灌主密钥: 两人按2,三人按3", "Load a master key: 2 or 3 custodians"},
	"keys.how":       {"每人一份,须是不同的人", "one part each, different persons"},
	"seal.key":       {"灌主密钥", "master key loaded"},
	"seal.whole":     {"记录链完好,{1}条", "The chain is whole, {1} entries"},
	"seal.broken":    {"记录链被改动: {1}", "The chain was changed: {1}"},
	"seal.row":       {"{1} {2} {3}", "{1} {2} {3}"},
	"seal.text":      {"   {1} 校验{2}", "   {1} seal {2}"},
	"seal.rules":     {"规则更新", "rules loaded"},
	"seal.approve":   {"主管授权", "approval"},
	"seal.refund":    {"退货", "refund"},
	"seal.tamper":    {"机壳打开", "case opened"},
	"seal.close":     {"人工结清", "closed by hand"},
	"seal.accept":    {"恢复确认", "restore accepted"},
	"seal.enrol":     {"登记主管卡", "staff card enrolled"},
	"seal.ticket":    {"顾客反馈", "customer ticket"},
	"seal.train":     {"训练", "training"},
	"seal.care":      {"保养登记", "maintenance done"},
	"seal.spot":      {"抽查", "spot check"},
	"seal.drill":     {"应急演练", "drill"},
	"seal.check":     {"自检", "self-check"},
	"seal.contest":   {"考核异议", "score contested"},
}

var runLines = map[string]words{
	"run.case":     {"{1} {2}", "{1} {2}"},
	"run.step":     {"   {1}", "   {1}"},
	"run.line":     {"线路断", "the line is down"},
	"run.line.1":   {"看状态栏: 备用线路会自动接上", "Status bar: the backup comes up by itself"},
	"run.line.2":   {"屏幕说未应答的卡先不要再刷", "A card without an answer is not swiped again"},
	"run.line.3":   {"挪到窗边,检查网线和SIM卡", "Go to a window; look at cable and SIM"},
	"run.line.4":   {"其他卡可以收;离线收款按收单机构规定", "Other cards may pay; offline as the acquirer allows"},
	"run.host":     {"银行主机不应答", "the bank does not answer"},
	"run.host.1":   {"菜单-管理-回响测试", "Menu, manage, echo"},
	"run.host.2":   {"回响好而付款不成: 是银行系统忙,等几分钟", "Echo good, payments not: the bank is busy; wait"},
	"run.host.3":   {"没有应答的付款,设备自动冲正", "The device reverses what had no answer"},
	"run.host.4":   {"超过30分钟打收单客服电话", "After 30 minutes call the acquirer"},
	"run.power":    {"停电", "power failure"},
	"run.power.1":  {"来电后第一屏就是中断那笔的结果", "The first screen tells the interrupted payment"},
	"run.power.2":  {"结果未知的,等冲正完成再收", "Unknown: wait until it is reversed"},
	"run.power.3":  {"没打出的小票可以补打", "A slip that is missing can be printed again"},
	"run.power.4":  {"时间不对时先签到", "If the time is wrong, sign on"},
	"run.twice":    {"顾客说扣了两次", "a customer was charged twice"},
	"run.twice.1":  {"菜单-店务-顾客反馈,按1开工单", "Menu, shop, feedback: 1"},
	"run.twice.2":  {"看工单里每一次的结果", "Read what became of each attempt"},
	"run.twice.3":  {"确实两笔成功: 主管撤销一笔", "Two went through: a supervisor voids one"},
	"run.twice.4":  {"显示冲正成功的,钱由银行退回,给顾客工单号", "Reversed: the bank gives it back; hand over the ticket"},
	"run.tamper":   {"机壳被打开", "the case was opened"},
	"run.tamper.1": {"立即停用,不要刷卡", "Stop using it; no cards"},
	"run.tamper.2": {"保留现场,记下时间和在场的人", "Leave it as it is; note time and people"},
	"run.tamper.3": {"打收单机构电话", "Call the acquirer"},
	"run.tamper.4": {"换备用机收款", "Take another device"},
	"run.up":       {"线路 {1}: 可用", "Line {1}: up"},
	"run.down":     {"线路 {1}: 不通", "Line {1}: down"},
	"run.idle":     {"线路 {1}: 未用", "Line {1}: idle"},
	"drill.begin":  {"按1-5演练(不动钱,不断线)", "1-5: a drill (no money, nothing is cut)"},
	"drill.head":   {"演练 {1}  {2}/{3}", "Drill: {1}  {2}/{3}"},
	"drill.todo":   {"  {1} {2}", "  {1} {2}"},
	"drill.now":    {"> {1} {2}", "> {1} {2}"},
	"drill.did":    {"好 {1} {2}", "ok {1} {2}"},
	"drill.keys":   {"做到按1,做不到按2", "Can do: 1. Cannot: 2"},
	"drill.last":   {"   上次演练 {1} 用时{2}秒,{3}步未做到", "   last drill {1}: {2} s, {3} steps not done"},
}
