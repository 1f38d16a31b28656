package text

import "swipewell/ui/prompt"

// entry makes a row for a code that only logs and tools print.
func entry(c prompt.Code, zh, en string) row {
	return row{c, Message{Title: zh, Next: "无需操作"}, Message{Title: en, Next: "Nothing to do"}}
}

// logRows: entries of the log only.
var logRows = []row{
	entry(prompt.LogBoot, "程序启动", "started"),
	entry(prompt.LogStop, "程序停止", "stopped"),
	entry(prompt.LogDevice, "设备<{field}>", "device< {field}>"),
	entry(prompt.LogSwipe, "刷卡<{card}>", "swipe< {card}>"),
	entry(prompt.LogIntent, "交易已登记<{amount}元>", "intent stored< RMB {amount}>"),
	entry(prompt.LogPath, "登记前的经过", "what led to the intent"),
	entry(prompt.LogScreen, "屏幕显示", "screen"),
	entry(prompt.LogTape, "回放记录", "tape for a replay"),
	entry(prompt.LogSent, "交易已发送", "request sent"),
	entry(prompt.LogAnswer, "收到应答<{rc}>", "answer< {rc}>"),
	entry(prompt.LogOutcome, "交易结果<{rc}>", "outcome< {rc}>"),
	entry(prompt.LogPrinted, "签购单已打印", "slip printed"),
	entry(prompt.LogDropped, "未发送,登记已撤", "never sent, intent dropped"),
	entry(prompt.LogReversal, "冲正<第{n}次>", "reversal try< {n}>"),
	entry(prompt.LogReversed, "冲正完成<{rc}>", "reversal closed< {rc}>"),
	entry(prompt.LogSignOn, "签到<{rc}>", "sign-on< {rc}>"),
	entry(prompt.LogLink, "线路<{field}>", "link< {field}>"),
	entry(prompt.LogLateAnswer, "迟到应答,不采用", "late answer, not used"),
	entry(prompt.LogBadAnswer, "应答无效<{field}>", "not an answer<: {field}>"),
	entry(prompt.LogService, "维护口<{field}>", "service port< {field}>"),
	entry(prompt.LogMessage, "程序消息", "message"),
	entry(prompt.LogJournal, "日志自身记录", "the log about itself"),
	entry(prompt.LogCrash, "上次程序异常终止", "the program crashed before this start"),
	entry(prompt.LogKernel, "内核消息", "message of the kernel"),
	entry(prompt.LogCardRef, "交易所属卡标识", "card of the transaction, by its name in the log"),
	entry(prompt.LogHostOrder, "主机指令<{field}>", "host order< {field}>"),
	entry(prompt.LogStore, "存储<{field}>", "store< {field}>"),
}
