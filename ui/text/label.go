package text

// label is one word or short phrase of slips, logs and tools.
type label struct{ zh, en string }

// Label gives a word by its key; an unknown key is given back as it is, so
// that a log of a later version still reads.
func Label(lang Lang, key string) string {
	l, ok := labels[key]
	switch {
	case !ok:
		return key
	case lang == EN:
		return l.en
	}
	return l.zh
}

var labels = map[string]label{
	// The status bar and the keys.
	"bench":      {"测试", "TEST"},
	"queue":      {"待", "Q"},
	"signal":     {"信号", "SIG"},
	"no-signal":  {"无信号", "NO SIG"},
	"code":       {"代码", "Code"},
	"next":       {"请", "Next"},
	"currency":   {"元", "RMB"},
	"seconds":    {"秒", "s"},
	"key-enter":  {"确认", "ENTER"},
	"key-cancel": {"取消", "CANCEL"},
	"key-clear":  {"清除", "CLEAR"},
	"key-menu":   {"菜单", "MENU"},
	"key-any":    {"任意键返回", "ANY KEY"},
	"key-lang":   {"F4 English", "F4 中文"},
	"help":       {"帮助", "Help"},

	// Fields of a transaction.
	"amount":      {"金额", "Amount"},
	"asked":       {"应收金额", "Asked"},
	"total":       {"合计", "Total"},
	"card":        {"卡号", "Card"},
	"rc":          {"应答码", "Response"},
	"stan":        {"凭证号", "Trace no"},
	"rrn":         {"参考号", "Ref no"},
	"auth":        {"授权码", "Auth no"},
	"batch":       {"批次号", "Batch no"},
	"time":        {"时间", "Time"},
	"date":        {"日期", "Date"},
	"date-time":   {"日期/时间", "Date/time"},
	"merchant":    {"商户名称", "Merchant"},
	"merchant-id": {"商户编号", "Merchant no"},
	"terminal-id": {"终端编号", "Terminal no"},
	"operator":    {"操作员", "Operator"},
	"issuer":      {"发卡行", "Issuer"},
	"acquirer":    {"收单机构", "Acquirer"},
	"org":         {"卡组织", "Card org"},
	"type":        {"交易类型", "Type"},
	"entry":       {"输入方式", "Entry"},
	"reason":      {"原因", "Reason"},
	"outcome":     {"结果", "Outcome"},
	"tries":       {"次数", "Tries"},
	"next-try":    {"下次", "Next try"},
	"count":       {"笔数", "Count"},
	"state":       {"状态", "State"},
	"device":      {"设备", "Device"},
	"version":     {"版本", "Version"},
	"uptime":      {"运行时间", "Uptime"},
	"queue-open":  {"待冲正", "Open reversals"},
	"actor":       {"处理人", "Who acts"},
	"message":     {"说明", "Message"},
	"severity":    {"级别", "Severity"},
	"event":       {"事件", "Event"},
	"line":        {"线路", "Line"},
	"host":        {"主机", "Host"},

	// Kinds of transactions, by their words in the script language.
	"sale":     {"消费", "SALE"},
	"reversal": {"冲正", "REVERSAL"},
	"void":     {"消费撤销", "VOID"},
	"refund":   {"退货", "REFUND"},
	"balance":  {"余额查询", "BALANCE"},
	"signon":   {"签到", "SIGN-ON"},
	"signoff":  {"签退", "SIGN-OFF"},
	"echo":     {"线路测试", "LINE TEST"},
	"settle":   {"结算", "SETTLEMENT"},

	// Entry modes, DE 22 digits 1–2, and the PIN digit.
	"entry-01": {"手输", "KEYED"},
	"entry-02": {"刷卡", "SWIPE"},
	"entry-05": {"插卡", "CHIP"},
	"pin-used": {"已输密码", "PIN VERIFIED"},
	"no-pin":   {"未输密码", "NO PIN"},

	// Outcomes and states, as lists and slips show them.
	"approved":   {"交易成功", "APPROVED"},
	"partial":    {"部分批准", "PARTIAL"},
	"declined":   {"拒绝", "DECLINED"},
	"unknown":    {"结果未知", "UNKNOWN"},
	"reversed":   {"已冲正", "REVERSED"},
	"not-sent":   {"未发送", "NOT SENT"},
	"armed":      {"备用", "ARMED"},
	"queued":     {"待发送", "QUEUED"},
	"unresolved": {"悬而未决", "UNRESOLVED"},
	"ready":      {"就绪", "READY"},
	"busy":       {"忙", "BUSY"},
	"halted":     {"停止", "HALTED"},
	"signed-on":  {"已签到", "SIGNED ON"},
	"not-signed": {"未签到", "NOT SIGNED ON"},
	"loaded":     {"已装载", "loaded"},
	"skipped":    {"已跳过", "skipped"},
	"failed":     {"失败", "failed"},
	"yes":        {"是", "yes"},
	"no":         {"否", "no"},
	"none":       {"无", "none"},
	"info":       {"提示", "info"},
	"good":       {"正常", "good"},
	"warning":    {"注意", "warning"},
	"bad":        {"故障", "bad"},
	"critical":   {"严重", "critical"},
	"nobody":     {"无需处理", "nobody"},
	"cashier":    {"收银员", "cashier"},
	"customer":   {"顾客", "customer"},
	"supervisor": {"主管", "supervisor"},
	"technician": {"技术员", "technician"},

	// The slip.
	"slip-title":      {"POS签购单", "SALES SLIP"},
	"reversal-title":  {"冲正单", "REVERSAL SLIP"},
	"outcome-title":   {"交易结果单", "RESULT SLIP"},
	"copy-merchant":   {"商户存根", "MERCHANT COPY"},
	"copy-cardholder": {"持卡人存根", "CARDHOLDER COPY"},
	"mark-copy":       {"补打", "COPY AFTER POWER CUT"},
	"mark-reprint":    {"重打印", "REPRINT"},
	"signature":       {"持卡人签名", "Cardholder signature"},
	"no-signature":    {"已输密码,无需签名", "PIN entered, no signature"},
	"agree":           {"本人确认以上交易,同意记账", "I authorise the above amount"},
	"bench-slip":      {"测试单据 无效", "TEST SLIP - NOT VALID"},
	"not-charged":     {"未扣款", "NOT CHARGED"},
	"do-not-repeat":   {"请勿重刷", "DO NOT SWIPE AGAIN"},
	"keep-slip":       {"请妥善保管", "PLEASE KEEP THIS SLIP"},

	// The printer.
	"printer":    {"打印机", "Printer"},
	"paper-out":  {"缺纸", "out of paper"},
	"cover-open": {"盖未关", "cover open"},
	"hot":        {"过热", "too hot"},
	"fault":      {"故障", "fault"},
}
