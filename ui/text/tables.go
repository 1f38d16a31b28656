package text

import "swipewell/ui/prompt"

// tableRows: the download of keys and applications for chip cards.
var tableRows = []row{
	item(prompt.MenuTables, "下载芯片卡参数", "Get chip tables"),
	{prompt.TablesRun,
		Message{"下载芯片卡参数", "{kind}< {n}/{seconds}>\n全部收齐后才启用。", "请等待,取消键停止", "下载芯片卡参数\n{kind}< {n}/{seconds}>"},
		Message{"GETTING CHIP TABLES", "{kind}< {n} of {seconds}>\nThey count once all are in.", "Wait; cancel stops it", "GETTING TABLES\n{kind}< {n}/{seconds}>"}},
	{prompt.TablesKeys, Message{Title: "公钥", Next: "请等待"}, Message{Title: "Keys", Next: "Wait"}},
	{prompt.TablesApps, Message{Title: "应用参数", Next: "请等待"}, Message{Title: "Apps", Next: "Wait"}},
	{prompt.TablesQuit,
		Message{Title: "正在停止", Body: "等待本条应答后停止。", Next: "请等待"},
		Message{Title: "STOPPING", Body: "It stops once this message has its answer.", Next: "Wait"}},
	{prompt.TablesDone,
		Message{"芯片卡参数已更新", "新下载 {n} 条,从下一笔起生效。", "可继续收款", "芯片参数已更新\n新下载{n}条"},
		Message{"CHIP TABLES SET", "New records: {n}. They count from the next payment on.", "Sales may go on", "CHIP TABLES SET\n{n} NEW"}},
	{prompt.TablesPartly,
		Message{"芯片卡参数部分更新", "新下载 {n} 条,拒绝 {seconds} 条,其余照常使用。", "可继续收款;被拒绝的名称见日志,告知收单机构", "芯片参数部分更新\n拒绝{seconds}条,见日志"},
		Message{"CHIP TABLES SET, SOME REFUSED", "New records: {n}, refused: {seconds}. The rest is in use.", "Sales may go on; tell the acquirer the names in the log", "SOME REFUSED: {seconds}\nSEE THE LOG"}},
	{prompt.TablesStopped,
		Message{"已停止下载", "原参数继续使用,已收到的 {n} 条下次不再下载。", "可继续收款", "已停止下载\n原参数仍在用"},
		Message{"DOWNLOAD STOPPED", "The tables of before count. {n} records have come and are kept.", "Sales may go on", "STOPPED\nOLD TABLES COUNT"}},
	{prompt.TablesBad,
		Message{"参数清单有误", "银行的清单读不懂,未采用。原参数继续使用。", "可继续收款,请联系收单机构", "参数清单有误\n原参数仍在用"},
		Message{"LIST NOT READABLE", "The host's list makes no sense and was not taken. The tables of before count.", "Sales may go on; call the acquirer", "BAD LIST\nOLD TABLES COUNT"}},
	{prompt.TablesEndless,
		Message{"参数清单没有结尾", "银行的清单重复不止,已停止。原参数继续使用。", "可继续收款,请联系收单机构", "清单没有结尾\n原参数仍在用"},
		Message{"LIST WITHOUT END", "The host's list repeats itself; the download was ended. The tables of before count.", "Sales may go on; call the acquirer", "ENDLESS LIST\nOLD TABLES COUNT"}},
	entry(prompt.LogTables, "芯片卡参数", "tables for chip cards"),
}
