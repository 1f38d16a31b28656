package text

import "swipewell/ui/prompt"

// moneyRows: the fate of money is not known yet, or nothing was done. None of
// the first kind may ask for another try (THROTTLE I11).
var moneyRows = []row{
	{prompt.UnknownNoAnswer,
		Message{"银行未应答,正在冲正", "<{amount}元 ><卡{card} ><凭证号{stan}>\n结果未知,本机自动冲正,不会多扣款。", "请勿重刷,等待冲正结果", "未应答,正在冲正\n请勿重刷"},
		Message{"NO ANSWER, REVERSAL RUNNING", "<RMB {amount} ><card {card} ><trace {stan}>\nResult unknown; it is being reversed.", "DO NOT SWIPE AGAIN until settled", "REVERSAL RUNNING\nDO NOT SWIPE AGAIN"}},
	{prompt.UnknownLink,
		Message{"线路中断,正在冲正", "<{amount}元 ><卡{card} ><凭证号{stan}>\n发出后线路中断,结果未知,自动冲正。", "请勿重刷,等待冲正结果", "断线,正在冲正\n请勿重刷"},
		Message{"LINE LOST, REVERSAL RUNNING", "<RMB {amount} ><card {card} ><trace {stan}>\nLine broke after sending; reversing.", "DO NOT SWIPE AGAIN until settled", "REVERSAL RUNNING\nDO NOT SWIPE AGAIN"}},
	{prompt.UnknownMAC,
		Message{"应答校验错,正在冲正", "<{amount}元 ><卡{card} ><凭证号{stan}>\n银行应答未通过校验,不采用,自动冲正。", "请勿重刷,等待冲正结果", "校验错,正在冲正\n请勿重刷"},
		Message{"BAD MAC, REVERSAL RUNNING", "<RMB {amount} ><card {card} ><trace {stan}>\nAnswer failed its check; reversing.", "DO NOT SWIPE AGAIN until settled", "REVERSAL RUNNING\nDO NOT SWIPE AGAIN"}},
	{prompt.UnknownHost,
		Message{"结果未确认,正在冲正", "银行应答<{rc} {reason}>\n<{amount}元 ><卡{card}>\n可能已记账,本机自动冲正。", "请勿重刷,等待冲正结果", "未确认,正在冲正\n请勿重刷"},
		Message{"NOT CONFIRMED, REVERSAL RUNNING", "Answer <{rc} {reason}>\n<RMB {amount} ><card {card}>\nmay be booked; it is being reversed.", "DO NOT SWIPE AGAIN until settled", "REVERSAL RUNNING\nDO NOT SWIPE AGAIN"}},
	{prompt.UnknownPower,
		Message{"断电,上笔正在冲正", "<{amount}元 ><卡{card} ><凭证号{stan}>\n断电时未完成,自动冲正,不会多扣款。", "请勿重刷,等待冲正结果", "断电,上笔冲正中\n请勿重刷"},
		Message{"POWER FAILED, REVERSAL RUNNING", "<RMB {amount} ><card {card} ><trace {stan}>\nNot finished at power cut; reversing.", "DO NOT SWIPE AGAIN until settled", "REVERSAL RUNNING\nDO NOT SWIPE AGAIN"}},
	{prompt.ReversalQueued,
		Message{"冲正未完成,请勿重刷", "<待冲正 {n} 笔。>线路恢复后自动冲正,不会多扣款。", "原卡请勿重刷,其他卡可付款", "冲正未完成\n请勿重刷"},
		Message{"REVERSAL STILL OPEN", "<Open: {n}. >It goes out by itself when the line is back.", "DO NOT SWIPE AGAIN; other cards may pay", "REVERSAL OPEN\nDO NOT SWIPE AGAIN"}},
	{prompt.Gated,
		Message{"此卡上笔冲正中,请勿重刷", "卡{card} 上一笔<{amount}元>尚未结清,结清前此卡不能再付。", "其他卡可以付款", ""},
		Message{"THIS CARD: REVERSAL OPEN", "Card {card}: its last payment <of RMB {amount} >is not settled yet.", "DO NOT SWIPE AGAIN; other cards may pay", "REVERSAL OPEN\nDO NOT SWIPE AGAIN"}},
	{prompt.TooManyOpen,
		Message{"待冲正过多,暂停收款", "<{n} 笔>冲正未完成。线路恢复、冲正成功后自动恢复收款。", "请勿重刷,请检查线路", "待冲正,暂停收款\n请勿重刷"},
		Message{"TOO MANY REVERSALS OPEN", "<{n} >must get through first; then sales go on by themselves.", "DO NOT SWIPE AGAIN, check the line", "REVERSALS OPEN\nDO NOT SWIPE AGAIN"}},

	{prompt.Cancelled,
		Message{"已取消,未扣款", "交易已取消:未发送,未扣款。", "可重新输入金额", ""},
		Message{"CANCELLED", "Cancelled before sending. Not sent, not charged.", "Key the next amount", "CANCELLED\nNot sent, not charged"}},
	{prompt.OperatorTime,
		Message{"超时未操作,已取消", "等待超时:未发送,未扣款。", "可重新输入金额", "操作超时,已取消\n未发送,未扣款"},
		Message{"NO KEY IN TIME", "Cancelled: not sent, not charged.", "Key the amount again", "NO KEY IN TIME\nNot sent, not charged"}},
	{prompt.NotSent,
		Message{"未发送,未扣款", "本笔没有发出任何数据,已取消。", "检查线路后可重新收款", ""},
		Message{"NOT SENT, NOT CHARGED", "No byte of this payment left the device.", "Check the line, then start a new sale", "NOT SENT, NOT CHARGED"}},
}
