package console

import "swipewell/ui/text"

// words are the labels of this console that ui/text does not have: zh, en.
var words = map[string][2]string{
	"screen":          {"屏幕", "Screen"},
	"store":           {"存储", "Store"},
	"log":             {"日志", "Log"},
	"last":            {"上一笔", "Last"},
	"links":           {"通讯", "Links"},
	"devices":         {"设备", "Devices"},
	"clock":           {"时钟", "Clock"},
	"open-intent":     {"有一笔结果未知", "a sale's outcome is not known yet"},
	"commits":         {"次提交", "commits"},
	"dropped":         {"行日志丢失", "log lines lost"},
	"unprinted":       {"未打印", "not printed"},
	"sales":           {"笔", "sales"},
	"waiting":         {"笔待发送", "waiting"},
	"by-person":       {"笔需人工处理", "for a person to settle"},
	"queue-empty":     {"没有待发送的记录", "nothing waits to be sent"},
	"batch-empty":     {"本批次没有交易", "the batch is empty"},
	"log-empty":       {"没有符合的日志", "no such entries"},
	"due":             {"已到", "now"},
	"supervisor-only": {"需要主管登录", "only a supervisor may: login supervisor"},
	"parked-ok":       {"已列入悬而未决,凭条已打印", "put on the unresolved list; a ticket is printed"},
	"h-park":          {"把一笔列入悬而未决,不再发送(主管)", "put a record on the unresolved list, to be sent no more (supervisor)"},
	"closed-ok":       {"已关闭,凭条已打印", "closed; a ticket is printed"},
	"h-close":         {"关闭一笔银行无法结清的记录(主管)", "close a record that the host cannot settle (supervisor)"},
	"accepted":        {"已确认,可以收款", "accepted: sales may go on"},
	"h-restore":       {"由备份恢复: 先试算,yes 执行(主管)", "try a restore from the backup; yes does it (supervisor)"},
	"h-accept":        {"确认恢复后可以收款(主管)", "let a restored terminal sell (supervisor)"},
	"restore-tried":   {"试恢复成功", "a restore would give"},
	"restore-done":    {"已由备份恢复", "restored"},
	"restore-whole":   {"完整,没有缺失", "whole: nothing is missing"},
	"restore-missing": {"可能有缺失: ", "a tail may be missing: "},
	"copy-of":         {"备份时间", "copy of"},
	"redone":          {"条日志重做", "commits redone"},
	"rows":            {"笔", "rows"},
	"records":         {"条待处理记录", "records in the outbox"},
	"class":           {"类别", "Class"},
	"row-":            {"已入账", "booked"},
	"row-pending":     {"待上送", "OFFLINE"},
	"row-refused":     {"被拒", "refused"},
	"row-voided":      {"已撤销", "voided"},
	"debit":           {"借记", "debit"},
	"credit":          {"贷记", "credit"},
	"x-armed":         {"交易进行中: 如结果未知,将自动冲正", "of the payment under way: goes out if its outcome stays unknown"},
	"x-reversal":      {"发送到银行答复为止,凭证号不变;此卡暂停收款", "sent until the host answers, with the same trace number; its card waits"},
	"x-advice":        {"发送到银行答复为止,凭证号不变;未答复前不再退同一笔", "sent until the host answers, with the same trace number; no second one of its original meanwhile"},
	"x-refused":       {"银行不予入账: 主管联系收单机构,再用 close 关闭", "the host will not book it: the supervisor asks the acquirer, then close STAN REASON"},
	"x-unresolved":    {"银行的答复不能结清: 主管核对后用 close 关闭", "the host's word did not settle it: the supervisor compares the books, then close STAN REASON"},
	"store-ok":        {"存储完好", "the store is whole"},
	"login-first":     {"请先登录: login technician", "log in first: login technician"},
	"not-cashier":     {"收银员无此权限", "not for cashiers"},
	"no-command":      {"没有此命令, 请用 help", "no such command; try help"},
	"no-role":         {"没有此角色", "no such role"},
	"pin-ask":         {"密码: ", "PIN: "},
	"pin-wrong":       {"密码错误", "wrong PIN"},
	"logged-in":       {"已登录: ", "logged in: "},
	"logged-out":      {"已退出", "logged out"},
	"follow-on":       {"正在显示新日志, log off 结束", "showing new entries; log off ends it"},
	"usage":           {"用法: ", "usage: "},
	"h-help":          {"列出命令", "list the commands"},
	"h-login":         {"登录", "log in"},
	"h-logout":        {"退出登录", "log out"},
	"h-status":        {"设备状态", "how the device is"},
	"h-log":           {"最近的日志; -f 持续显示", "the last entries; -f goes on, off ends it"},
	"h-queue":         {"待发送的冲正", "reversals that wait"},
	"h-batch":         {"本批次交易", "rows of the open batch"},
	"h-tx":            {"一笔交易的全部", "all about one transaction"},
	"h-check":         {"检查存储", "examine the store"},
	"h-lang":          {"语言", "language"},
	"h-exit":          {"退出登录", "log out"},
	"idle":            {"空闲", "idle"},
	"open":            {"已连接", "open"},
	"not-used":        {"未使用", "not used yet"},
	"not-reg":         {"未注册", "not registered"},
	"roaming":         {"漫游", "roaming"},
	"printed":         {"已打印", "printed"},
	"bench-device":    {"测试设备", "TEST DEVICE"},
}

// label is a word of this console or of ui/text; an unknown key is its own word.
func label(lang, key string) string {
	w, ok := words[key]
	switch {
	case !ok:
		return text.Label(lang, key)
	case lang == text.EN:
		return w[1]
	}
	return w[0]
}
