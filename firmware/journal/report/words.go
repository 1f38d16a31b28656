package report

// labels of the report: zh, en.
var labels = map[string][2]string{
	"title":        {"终端日志报告", "Terminal log report"},
	"payments":     {"交易", "payments"},
	"approved":     {"批准", "approved"},
	"unknown":      {"结果未知", "fate unknown at first"},
	"stopped":      {"规则停止", "stopped by a rule"},
	"wait50":       {"主机应答(中位)", "host answers (median)"},
	"entries":      {"条日志", "entries"},
	"stages":       {"各阶段用时", "Latency per stage"},
	"stages-sub":   {"条为 10%–90%,线为中位,点为最长;对数刻度", "bar: 10 % to 90 %, line: median, dot: longest; logarithmic"},
	"signal":       {"一天中的信号", "Signal through the day"},
	"signal-sub":   {"CSQ,每小时最低、中位、最高", "CSQ 0–31; each hour lowest, median, highest"},
	"declines":     {"按类别的拒绝", "Declines by class"},
	"declines-sub": {"应答码与类别", "class of the rules, response code"},
	"swipes":       {"刷卡与停止", "Swipes and stops"},
	"swipes-sub":   {"每小时刷卡、插卡次数,和规则停止的次数", "each hour: cards drawn or inserted, and attempts that a rule stopped"},
	"swiped":       {"刷卡/插卡", "drawn or inserted"},
	"stop":         {"停止", "stopped"},
	"readers":      {"读卡错误", "Reader errors"},
	"readers-sub":  {"按种类", "by kind"},
	"queue":        {"待发队列", "Queue depth"},
	"queue-sub":    {"每段时间内最多待发记录", "most records that waited to be sent, over the time of the log"},
	"none":         {"没有", "nothing of the kind in this log"},
	"median":       {"中位", "median"},
	"most":         {"最长", "longest"},
	"count":        {"次数", "count"},
	"keying":       {"输入金额", "keying"},
	"await-card":   {"等待刷卡", "card wanted"},
	"reading":      {"读芯片", "chip read"},
	"confirming":   {"核对", "confirm"},
	"entering-pin": {"输入密码", "PIN"},
	"preparing":    {"准备", "preparing"},
	"dial":         {"拨号", "dial"},
	"send":         {"发送", "send"},
	"wait":         {"等待应答", "host answer"},
	"chip":         {"芯片全程", "chip, whole"},
	"print":        {"打印", "printing"},
}

func word(lang, key string) string {
	w, ok := labels[key]
	switch {
	case !ok:
		return key
	case lang == "zh":
		return w[0]
	}
	return w[1]
}
