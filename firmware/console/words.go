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
	"closed-ok":       {"已关闭,凭条已打印", "closed; a ticket is printed"},
	"h-close":         {"关闭一笔银行无法结清的记录(主管)", "close a record that the host cannot settle (supervisor)"},
	"store-ok":        {"存储完好", "the store is whole"},
	"login-first":     {"请先登录: login technician", "log in first: login technician"},
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
