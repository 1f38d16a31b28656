package text

import "swipewell/ui/prompt"

// advice is what all refusals of one kind have in common: HOST §2, column act.
type advice struct{ zhBody, zhNext, enBody, enNext string }

const (
	zhRefused = "银行拒绝({rc}),本笔未扣款。<\n{host}>"
	enRefused = "Bank refused ({rc}), not charged.<\n{host}>"
)

var (
	final    = advice{zhRefused, "请换卡或其他方式付款", enRefused, "Another card or another way to pay"}
	issuer   = advice{zhRefused, "请持卡人联系发卡银行,或换卡", enRefused, "Cardholder calls the bank, or another card"}
	acquirer = advice{zhRefused, "请联系收单机构", enRefused, "Call the acquirer"}
	// keep: the bank wants the card; the terminal shows it and orders nobody to
	// take it away (HOST §2, CAP).
	keep  = advice{zhRefused, "请联系收单机构,按其指示处理", enRefused, "Call the acquirer, do as they say"}
	pin   = advice{zhRefused, "请顾客核对密码,再做一笔新交易", enRefused, "Customer checks the PIN; a new sale"}
	chip  = advice{zhRefused, "请使用芯片,或换卡付款", enRefused, "Use the chip, or another card"}
	later = advice{zhRefused, "稍候一分钟再收,或换卡付款", enRefused, "Wait a minute, or another card"}
	// sign: the keys are out of step; the device signs on by itself.
	sign  = advice{zhRefused, "本机自动签到,完成后再收款", enRefused, "The device signs on; then a new sale"}
	batch = advice{zhRefused, "请主管结算或上送后再收款", enRefused, "Supervisor: settle or upload first"}
	// unproven: these answers are no proof that nothing was booked (money rule
	// 4), so they promise nothing and ask for nothing.
	unproven = advice{"应答({rc})不能证明未记账。付款由本机自动冲正。<\n{host}>", "请勿重刷,等待结果", "Answer {rc} is no proof; a payment gets a REVERSAL.<\n{host}>", "DO NOT SWIPE AGAIN until settled"}
)

// decline is one DE 39: the terminal text and the English prompt of HOST §2,
// word for word, save that none of 06 09 68 96 98 asks for another try.
type decline struct {
	rc, zh, en string
	advice     advice
}

var declines = []decline{
	{"01", "请持卡人与发卡银行联系", "CALL ISSUER", issuer},
	{"02", "请持卡人与发卡银行联系", "CALL ISSUER", issuer},
	{"03", "无效商户", "INVALID MERCHANT", acquirer},
	{"04", "此卡为无效卡,没收", "PICK UP CARD", keep},
	{"05", "持卡人认证失败", "DO NOT HONOUR", final},
	{"06", "出错", "ERROR", unproven},
	{"07", "此卡为无效卡,没收", "PICK UP CARD", keep},
	{"09", "请求正在处理中", "REQUEST IN PROGRESS", unproven},
	{"12", "无效交易", "INVALID TRANSACTION", final},
	{"13", "无效金额", "INVALID AMOUNT", advice{zhRefused, "请改正金额,或换卡付款", enRefused, "Check the amount, or another card"}},
	{"14", "无效卡号", "INVALID CARD NO", final},
	{"15", "此卡无对应发卡方", "NO SUCH ISSUER", final},
	{"19", "重做交易", "RE-ENTER TRANSACTION", later},
	{"20", "无效应答", "INVALID RESPONSE", final},
	{"21", "该卡未初始化或睡眠卡", "CARD NOT ACTIVE", issuer},
	{"22", "操作有误,或超出交易允许天数", "BAD RELATED TXN / TOO LATE", final},
	{"23", "不可接受的手续费", "UNACCEPTABLE FEE", final},
	{"25", "没有原始交易,请联系发卡方", "ORIGINAL NOT FOUND", issuer},
	{"30", "请重试", "FORMAT ERROR", advice{zhRefused, "可再做一笔;仍如此请联系收单机构", enRefused, "One new sale; else call the acquirer"}},
	{"31", "不支持的银行", "BANK NOT SUPPORTED", final},
	{"33", "过期的卡,没收", "EXPIRED, PICK UP CARD", keep},
	{"34", "作弊卡,吞卡", "SUSPECTED FRAUD", keep},
	{"35", "请与收单机构联系,没收", "CALL ACQUIRER, PICK UP", keep},
	{"36", "受限制的卡,没收", "RESTRICTED, PICK UP", keep},
	{"37", "请联系收单机构安全部门,没收", "CALL SECURITY, PICK UP", keep},
	{"38", "密码错误次数超限,请与发卡方联系", "PIN TRIES EXCEEDED", issuer},
	{"39", "无信用账户", "NO CREDIT ACCOUNT", final},
	{"40", "发卡方不支持的交易", "NOT SUPPORTED BY ISSUER", final},
	{"41", "挂失卡,没收", "LOST CARD", keep},
	{"42", "无此账户", "NO SUCH ACCOUNT", final},
	{"43", "被窃卡,没收", "STOLEN CARD", keep},
	{"44", "无此投资账户", "NO INVESTMENT ACCOUNT", final},
	{"45", "请使用芯片", "USE CHIP", chip},
	{"51", "可用余额不足", "INSUFFICIENT FUNDS", final},
	{"52", "无此支票账户", "NO CHEQUE ACCOUNT", final},
	{"53", "无此储蓄账户", "NO SAVINGS ACCOUNT", final},
	{"54", "该卡已过期", "EXPIRED CARD", final},
	{"55", "密码错", "WRONG PIN", pin},
	{"56", "无此卡记录", "NO CARD RECORD", final},
	{"57", "不允许此卡交易", "NOT PERMITTED FOR CARD", final},
	{"58", "发卡方不允许该卡在本终端进行此交易", "NOT PERMITTED AT TERMINAL", acquirer},
	{"59", "卡片校验错", "CARD CHECK FAILED", chip},
	{"60", "请与收单机构联系", "CALL ACQUIRER", acquirer},
	{"61", "交易金额超限", "AMOUNT OVER LIMIT", final},
	{"62", "受限制的卡", "RESTRICTED CARD", final},
	{"63", "安全违规", "SECURITY VIOLATION", final},
	{"64", "交易金额与原交易不匹配", "AMOUNT DIFFERS FROM ORIGINAL", final},
	{"65", "超出取款(消费)次数限制", "TOO MANY TXNS TODAY", advice{zhRefused, "此卡今天不能再付,请换卡", enRefused, "Not this card today; another card"}},
	{"66", "请联系收单机构安全部门", "CALL ACQUIRER SECURITY", acquirer},
	{"67", "没收卡", "PICK UP CARD", keep},
	{"68", "交易超时", "ISSUER TIMEOUT", unproven},
	{"75", "密码错误次数超限", "PIN TRIES EXCEEDED", issuer},
	{"77", "请向网络中心签到", "SIGN ON REQUIRED", sign},
	{"79", "重传脱机数据", "RESEND OFFLINE DATA", batch},
	{"87", "批次金额超限,请结算", "BATCH LIMIT, SETTLE", batch},
	{"88", "PIN密钥失步", "PIN KEY OUT OF STEP", sign},
	{"90", "系统日切,请稍后重试", "HOST CUT-OFF, RETRY LATER", later},
	{"91", "发卡方状态不正常,请稍后重试", "ISSUER NOT AVAILABLE", later},
	{"92", "发卡方线路异常,请稍后重试", "ISSUER LINE FAULT", later},
	{"93", "违法不能完成", "CANNOT BE COMPLETED", final},
	{"94", "重复流水号,本笔未受理", "DUPLICATE STAN", advice{"本笔未受理({rc}),未扣款。同号的另一笔已在主机。<\n{host}>", "请查上一笔签购单", "Not taken ({rc}), not charged. The host has another with this number.<\n{host}>", "Check the slip of the last sale"}},
	{"95", "对账不平", "TOTALS DO NOT AGREE", batch},
	{"96", "交换中心异常", "SWITCH FAULT", unproven},
	{"97", "终端号未登记", "TERMINAL NOT REGISTERED", acquirer},
	{"98", "发卡方超时", "ISSUER TIMEOUT (SWITCH)", unproven},
	{"99", "PIN格式错,请重新签到", "PIN BLOCK ERROR", sign},
	{"A0", "MAC校验错,请重新签到", "MAC ERROR", sign},
	{"A1", "转账货币不一致", "TRANSFER ERROR", final},
	{"A3", "账户不正确", "TRANSFER ERROR", final},
	{"A7", "拒绝,交换中心异常,请稍后重试", "SECURITY FAULT", sign},
	{"C1", "受理方状态非法", "ACQUIRER OFFLINE", later},
	{"XX", "交易失败 错误码[{rc}]", "DECLINED, CODE [{rc}]", final},
}

// declineRows makes the rows of class D from the table. A small screen keeps
// the words of the host and, where they leave room, says that nothing was
// charged; an unproven answer says what the machine does instead.
func declineRows() []row {
	out := make([]row, 0, len(declines))
	for _, d := range declines {
		r := row{prompt.Code("D-HST-" + d.rc),
			Message{d.zh, d.advice.zhBody, d.advice.zhNext, d.zh + "\n未扣款"},
			Message{d.en, d.advice.enBody, d.advice.enNext, d.en + "\nNot charged"}}
		if d.advice == unproven {
			r.zh.Small = d.zh + "\n冲正,请勿重刷"
			r.en.Small = "REVERSAL RUNS\nDO NOT SWIPE AGAIN"
		}
		out = append(out, r)
	}
	return out
}
