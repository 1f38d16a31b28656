package text

import (
	"slices"
	"strings"
)

// page is a help page: what it means, whether the money is safe, what to do.
type page struct{ zh, en article }

type article struct{ title, means, money, do string }

// Help gives the help page of an id ("help/net") as lines divided by "\n": a
// title, then three short paragraphs. "" for an id without a page.
func Help(lang Lang, id string) string {
	p, ok := helpPages[id]
	if !ok {
		p, ok = shopHelp[id]
	}
	if !ok {
		return ""
	}
	if lang == EN {
		return strings.Join([]string{p.en.title, "What it means: " + p.en.means, "The money: " + p.en.money, "What to do: " + p.en.do}, "\n")
	}
	return strings.Join([]string{p.zh.title, "意思: " + p.zh.means, "资金: " + p.zh.money, "做法: " + p.zh.do}, "\n")
}

// HelpIDs lists the pages there are, in ascending order.
func HelpIDs() []string {
	ids := make([]string, 0, len(helpPages)+len(shopHelp))
	for id := range helpPages {
		ids = append(ids, id)
	}
	for id := range shopHelp {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

var helpPages = map[string]page{
	"help/boot": {
		article{"启动", "终端正在自检,并查找断电前未结的交易。", "断电前的交易不会丢,也不会多扣。", "请等待,约几秒后可以收款。"},
		article{"Starting", "The device checks itself and looks for payments left open by a power cut.", "Nothing is lost and nothing is charged twice.", "Wait some seconds."}},
	"help/amount": {
		article{"输入金额", "先输入金额,再刷卡。数字从右边进入,以分为单位;按小数点可直接输元。", "输入金额时不发生任何扣款。", "输错按清除,放弃按取消,完成按确认。"},
		article{"Keying the amount", "Amount first, then the card. Digits come in from the right as cents; with the dot you key whole yuan.", "Nothing is charged while you key.", "Clear corrects, cancel gives up, enter goes on."}},
	"help/card": {
		article{"刷卡", "磁条朝向读卡头,一次匀速刷到底。", "刷卡只是读卡,确认之后才会发送。", "读不出时:慢一点、换方向、换卡。"},
		article{"Swiping", "Stripe towards the head, one steady pass from end to end.", "A swipe only reads the card; nothing is sent before you confirm.", "If it does not read: slower, other way round, another card."}},
	"help/confirm": {
		article{"核对", "屏幕显示金额和卡号后四位。", "按确认后才会登记并发送。", "与顾客核对,无误按确认,有误按取消。"},
		article{"Checking", "The screen shows the amount and the last four digits of the card.", "Only enter starts the payment.", "Check with the customer; enter if right, cancel if not."}},
	"help/pin": {
		article{"输入密码", "由顾客输入4至12位密码。无密码的卡直接按确认。", "密码加密后才离开键盘,不会被记录。", "请回避,不要询问密码。密码错时由顾客核对。"},
		article{"PIN", "The customer keys 4 to 12 digits. A card without a PIN: just enter.", "The PIN leaves the pad only encrypted and is never stored.", "Look away and never ask for it."}},
	"help/wait": {
		article{"等待银行", "交易已登记,正在连接或等待银行应答。", "不论线路怎样,结果由本机核实,不会多扣款。", "请等待,请勿重刷,请勿断电。"},
		article{"Waiting for the bank", "The payment is on record and on its way.", "Whatever the line does, the device settles it; nothing is charged twice.", "Wait. Do not swipe again, do not cut the power."}},
	"help/signon": {
		article{"签到", "终端向银行主机换取工作密钥,一般每天一次。", "签到不涉及扣款。", "失败时检查线路后再签到;被拒绝时联系收单机构。"},
		article{"Sign-on", "The device gets its session keys from the host, as a rule once a day.", "No money moves in a sign-on.", "If it fails, check the line and sign on; if refused, call the acquirer."}},
	"help/echo": {
		article{"线路测试", "向银行主机发送测试并收到应答。", "测试不涉及扣款。", "正常即可收款。"},
		article{"Line test", "A test message went to the host and came back.", "No money moves in a test.", "You can take payments."}},
	"help/tables": {
		article{"芯片卡参数", "收单机构的公钥和应用参数,终端据此识别芯片卡。逐条下载,全部收齐后一次启用。", "下载不涉及扣款;没有收齐时原参数继续使用。", "中断后再选一次,已收到的不再下载。有记录被拒绝时,把日志中的名称告诉收单机构。"},
		article{"Chip card tables", "The acquirer's keys and applications, by which chip cards are known. They come one by one and count once all are in.", "No money moves; until all are in, the tables of before count.", "After a break choose it again: what has come is not fetched twice. If a record was refused, tell the acquirer its name from the log."}},
	"help/menu": {
		article{"菜单", "撤销、退货、预授权、余额、离线、结算、重打印和管理。", "确认之前不会发送,不会扣款。", "按数字键,或上下键加确认;按取消返回。"},
		article{"Menu", "Void, refund, pre-authorisation, balance, offline, settlement, reprint, management.", "Nothing is sent before you confirm it.", "Press a digit, or arrows and enter; cancel goes back."}},
	"help/original": {
		article{"原交易", "撤销、退货、完成和调整都要指明原交易:凭证号、参考号、日期或授权码,都在原签购单上。", "没有发送,没有扣款。", "核对签购单后输入;直接按确认取屏幕上的一笔。隔日的交易用退货。"},
		article{"The original", "Void, refund, completion and adjustment name the payment they mean: trace, reference, date or code, all on its slip.", "Nothing was sent, nothing was charged.", "Key it from the slip; enter takes what the screen offers. Another day: refund."}},
	"help/settle": {
		article{"结算", "把本批次的合计与银行核对,不平时上送全部明细,然后开始新批次。", "账目在结算单打出前一直保存;断电后从原处继续。", "等待结算单,保持通电和信号。账不平时凭结算单与收单机构核对。"},
		article{"Settlement", "The batch's totals are compared with the bank's; if they differ every row goes up; then a new batch begins.", "The batch is kept until all is done; a power cut goes on where it was.", "Wait for the slip, keep power and line. If totals differ, compare the slip with the acquirer."}},
	"help/update": {
		article{"程序升级", "新程序由维护口送入备用区,核对签名后试运行一分钟,通过才确认;不通过自动退回。", "有未结款项时不升级,交易数据不受影响。", "试运行时可照常收款,请勿断电;退回时记下代码告知技术员。"},
		article{"Program updates", "A new program goes into the spare slot, is checked by its signatures and tried for a minute; it stays only if it does well.", "No update while money is open; the records are not touched.", "Sell as usual, keep the power on; if it was rolled back, tell the technician the code."}},
	"help/offline": {
		article{"离线交易", "有电话授权码的交易先记在本机,线路恢复后自动上送。限额由收单机构规定。", "上送前标为“待上送”;被拒的会列出、打印并从合计中减去。", "保存签名的签购单;被拒时由主管联系顾客和收单机构。"},
		article{"Offline sales", "A sale with a code given by voice is kept here and sent later. The acquirer sets the limits.", "Until then it is marked OFFLINE; a refused one is listed, printed and taken off the totals.", "Keep the signed slip; if refused, a supervisor calls customer and acquirer."}},
	"help/advice": {
		article{"等待银行确认", "退货或完成通知已发出,还没有得到最后的应答。本机用同一凭证号自动重发。", "银行只会入账一次。", "请勿再做一笔;等待屏幕告知结果。"},
		article{"Not confirmed yet", "A refund or completion went out and has no final answer; it is repeated under the same number.", "The bank books it once.", "Do not enter it again; the screen will say."}},
	"help/unresolved": {
		article{"悬而未决", "银行无法确认这笔是否入账,需要人工核对。", "记录一直保留,该卡暂停使用,不会多扣款。", "主管与收单机构核对后,在维护口写明原因关闭记录。"},
		article{"Unresolved", "The bank cannot say whether it was booked; a person must find out.", "The record stays and the card is on hold; nothing is charged twice.", "A supervisor asks the acquirer, then closes the record with a reason at the service port."}},
	"help/status": {
		article{"终端状态", "待冲正笔数、批次、成功笔数和合计。", "待冲正的款项由本机自动结清。", "按任意键返回。"},
		article{"Status", "Open reversals, batch, number and total of sales.", "Open reversals are settled by the device itself.", "Any key goes back."}},
	"help/approved": {
		article{"交易成功", "银行已批准,本机已记账。", "已扣款一次。", "取签购单;没有出纸可用菜单重打印,不要再刷卡。"},
		article{"Approved", "The bank approved and the device has it on record.", "Charged once.", "Take the slip; without one, reprint from the menu and do not swipe again."}},
	"help/partial": {
		article{"部分批准", "银行只批准了一部分金额。", "只扣了屏幕上的金额。", "差额用其他方式收取,或撤销本笔。"},
		article{"Partial approval", "The bank approved only a part.", "Only the amount on the screen was charged.", "Collect the rest another way, or void this one."}},
	"help/recovered": {
		article{"断电后补打", "断电前的交易已经成功,只是签购单没有打完。", "已扣款一次。", "取标有“补打”的签购单,不要再收此款。"},
		article{"Slip after a power cut", "The sale before the power cut had succeeded; only its slip was not finished.", "Charged once.", "Take the slip marked COPY; do not charge it again."}},
	"help/unknown": {
		article{"结果未知", "交易可能已到银行,但没有可信的应答。", "本机已登记冲正,直到银行确认为止,不会多扣款。", "请勿重刷此卡。等待“已冲正”,其他卡可以付款。"},
		article{"Result unknown", "The payment may have reached the bank, but there is no answer that can be trusted.", "A reversal is on record and runs until the bank confirms it. Nothing is charged twice.", "Do not swipe this card again. Wait for REVERSAL DONE; other cards may pay."}},
	"help/reversal": {
		article{"冲正", "冲正是取消一笔结果未知的交易。线路不通时排队等候,断电也不丢。", "冲正成功后,这笔款不扣。", "请勿重刷原卡;保持通电和信号,其他卡可以付款。"},
		article{"Reversal", "A reversal cancels a payment whose result is unknown. It waits for the line and survives power cuts.", "Once it is through, that payment is not charged.", "Do not swipe that card again; keep power and signal. Other cards may pay."}},
	"help/reversed": {
		article{"已冲正", "银行已确认冲正。", "这笔款没有扣;如已显示扣款,银行会退回。", "仍需付款时,可以重新收款。"},
		article{"Reversal done", "The bank confirmed the reversal.", "That payment is not charged; if an app shows it, the bank gives it back.", "If it is still owed, start a new sale."}},
	"help/gate": {
		article{"暂不能用此卡", "此卡上一笔还没有结清,或待冲正的笔数过多。", "结清前不再收,避免多扣款。", "请换其他卡,或等待“已冲正”;请检查线路。"},
		article{"Card on hold", "Its last payment is not settled yet, or too many reversals are open.", "The hold keeps the customer from being charged twice.", "Use another card or wait for REVERSAL DONE; check the line."}},
	"help/cancelled": {
		article{"已取消", "按了取消,或等待超时。", "没有发送,没有扣款。", "需要时重新输入金额。"},
		article{"Cancelled", "Cancel was pressed, or nobody acted in time.", "Nothing was sent, nothing was charged.", "Key the amount again if needed."}},
	"help/not-sent": {
		article{"未发送", "线路没有接通,没有任何数据离开本机。", "没有扣款,不需要冲正。", "检查线路后可以重新收款。"},
		article{"Not sent", "The line was never there; no byte left the device.", "Nothing was charged; no reversal is needed.", "Check the line, then start a new sale."}},
	"help/swipe": {
		article{"读卡失败", "磁条没有读完整:太快、太慢、反了、中途抽离,或磁条脏损。", "没有发送,没有扣款。", "慢一点匀速刷;换方向;擦净磁条;再不行换卡。"},
		article{"Card not read", "The stripe was not read whole: too fast, too slow, wrong way, pulled out early, dirty or worn.", "Nothing was sent, nothing was charged.", "Slower and steady; other way round; wipe the stripe; else another card."}},
	"help/card-invalid": {
		article{"卡片不能使用", "不是银行卡、已过期、卡号不符或磁道为空。", "没有发送,没有扣款。", "换方向再刷一次;仍不行请换卡。"},
		article{"Card cannot be used", "Not a bank card, expired, a wrong number or an empty track.", "Nothing was sent, nothing was charged.", "Try the other way round; else another card."}},
	"help/chip": {
		article{"芯片读不出", "卡插反、没有插到底、触点脏,或读卡器、芯片参数有问题。", "没有发送,没有扣款。", "芯片朝上再插一次;读不出时屏幕会允许刷磁条;各卡都读不出请找技术员。"},
		article{"Chip not read", "The card is the wrong way round, not fully in, its contacts are dirty, or the reader or its parameters are not in order.", "Nothing was sent, nothing was charged.", "Insert again, chip up; the screen allows the stripe when the chip fails; if no card works, call the technician."}},
	"help/chip-card": {
		article{"插卡付款", "带芯片的卡要插卡,磁条只在芯片读不出时使用。", "交易完成前请勿拔卡;提前拔卡时,未发送的不收,已发送的由本机冲正。", "芯片朝上插到底,按屏幕操作,提示后取卡。"},
		article{"Paying by chip", "A card with a chip is inserted; its stripe serves only when the chip cannot be read.", "Leave it in until told. Pulled early, what was not sent is not charged, and what was sent is reversed.", "Chip up, all the way in, do what the screen says, take it when told."}},
	"help/chip-declined": {
		article{"芯片不同意", "芯片停用、过期、不受理,或按发卡行的规则拒绝。", "没有发送给银行,不会记账。", "请换卡;原因请顾客问发卡行。"},
		article{"The chip says no", "It is blocked, expired, not accepted here, or refuses by its issuer's rules.", "The bank was not asked, nothing is booked.", "Another card; the issuer can tell why."}},
	"help/net": {
		article{"线路不通", "与银行主机之间的线路没有接通或被占用。", "没有发送,没有扣款。", "看信号格,等片刻再收;仍不行请技术员检查。"},
		article{"No line", "The line to the host did not come up, or was busy.", "Nothing was sent, nothing was charged.", "Look at the signal bars, wait, start a new sale; else call the technician."}},
	"help/modem": {
		article{"通讯模块无响应", "模块没有回答命令,本机会自动复位它。", "没有发送,没有扣款。", "等一分钟;仍不行请关机再开,并联系技术员。"},
		article{"Modem silent", "The modem does not answer; the device resets it by itself.", "Nothing was sent, nothing was charged.", "Wait a minute; else switch off and on and call the technician."}},
	"help/sim": {
		article{"SIM卡", "没有SIM卡、卡被锁、停用或没有数据业务。", "没有发送,没有扣款。", "检查SIM卡是否插好;停用请联系收单机构。"},
		article{"SIM card", "No SIM, or it is locked, barred or without data service.", "Nothing was sent, nothing was charged.", "See that it sits right; if barred, call the acquirer."}},
	"help/signal": {
		article{"信号", "没有信号或未登录网络。", "没有发送,没有扣款。", "移到窗边或室外,等信号格出现。"},
		article{"Signal", "No signal, or not registered on the network.", "Nothing was sent, nothing was charged.", "Move to a window or outside and wait for bars."}},
	"help/host": {
		article{"银行主机", "线路正常,但主机没有接受连接。", "没有发送,没有扣款。", "等片刻再收;持续出现时联系收单机构并报代码。"},
		article{"The host", "The line works, but the host did not take the connection.", "Nothing was sent, nothing was charged.", "Wait, start a new sale; if it stays, call the acquirer with the code."}},
	"help/cable": {
		article{"电话线或网线", "没有拨号音、没有接通或网线未插。", "没有发送,没有扣款。", "检查插头和线;同线电话挂机后再收。"},
		article{"Cable", "No dial tone, no carrier or no network cable.", "Nothing was sent, nothing was charged.", "Check plugs and cable; hang up telephones on that line."}},
	"help/store-fault": {
		article{"存储故障", "记录没有写成,所以本机不知道最后一笔的结果。", "本机重启后从已写成的记录核对,需要时自动冲正。", "请勿重刷,叫主管;反复出现请换机维修。"},
		article{"Storage fault", "A record could not be written, so the device does not know how the last payment ended.", "It restarts and settles from what is on record, by a reversal if need be.", "Do not swipe again, call the supervisor; if it comes back, have the device repaired."}},
	"help/store": {
		article{"交易记录不可用", "记录文件损坏、缺失或版本不符。", "文件原样保留,里面的冲正不会丢。", "停止收款,联系技术员;不要清除或新建数据。"},
		article{"Records not usable", "The record file is damaged, missing or of another version.", "It is kept as it is; the reversals in it are not lost.", "Stop selling, call the technician; erase nothing, make no new file."}},
	"help/restored": {
		article{"由备份恢复", "记录文件损坏后,由每日备份和附加日志恢复;最后几笔可能不在其中,凭证号已向前跳过。", "恢复前银行已入账的交易仍然有效,不会因恢复被取消。", "主管先做结算,把结算单与银行账目核对,再在维护口登录并输入 accept 加说明。"},
		article{"Restored from a backup", "The record file was damaged and came back from the daily copy and the side log; the last payments may not be in it, and trace numbers jumped ahead.", "What the bank booked before stays booked; the restore cancels nothing.", "The supervisor settles, compares the slip with the bank, then logs in at the service cable and types accept with a reason."}},
	"help/store-room": {
		article{"存储空间", "存储已满、只读或被占用,不能保证下一笔的记录。", "没有开始交易,没有扣款。", "请联系技术员;不要自行删除文件。"},
		article{"Storage room", "The store is full, read-only or in use; the next sale could not be kept safe.", "No sale was begun, nothing was charged.", "Call the technician; delete nothing yourself."}},
	"help/key": {
		article{"密钥", "没有主密钥,或工作密钥校验不符。", "没有密钥就不会发送交易,没有扣款。", "重新签到;仍不行联系收单机构灌密钥。"},
		article{"Keys", "No master key, or a session key that fails its check.", "Without keys nothing is sent, nothing was charged.", "Sign on again; else the acquirer loads the key."}},
	"help/printer": {
		article{"打印机", "缺纸、盖未关、过热或故障。", "交易结果以屏幕为准,不受打印影响。", "装纸、合盖或冷却后按确认补打;不要再刷卡。"},
		article{"Printer", "Out of paper, open, too hot or faulty.", "The sale is what the screen says; printing does not change it.", "Load paper, close or let it cool, then enter prints. Do not swipe again."}},
	"help/board": {
		article{"设备配置", "配置文件有误,或某个设备没有打开。", "缺少保证资金安全的设备时,本机不收款。", "请联系技术员,报屏幕上的文件、行号或设备名。"},
		article{"Devices", "The board file has an error, or a device did not open.", "Without a device that keeps money safe there are no sales.", "Call the technician with the file, line or device on the screen."}},
	"help/tamper": {
		article{"防拆", "机壳被打开,密钥已自动清除。", "已登记的交易和冲正仍然保留。", "停止使用,联系收单机构更换。"},
		article{"Tamper", "The case was opened; the keys erased themselves.", "Payments and reversals on record are kept.", "Stop using it; the acquirer replaces the device."}},
	"help/internal": {
		article{"程序错误", "本步骤没有完成。", "已登记的交易由本机核实,不会多扣款。", "请记下代码和时间,联系技术员。"},
		article{"Internal error", "This step could not be done.", "What is on record is settled by the device; nothing is charged twice.", "Note code and time, call the technician."}},
	"help/log": {
		article{"日志条目", "这是给现场工程师看的记录。", "条目本身不改变任何交易。", "无需操作。"},
		article{"Log entry", "A record for the field engineer.", "It changes no payment.", "Nothing to do."}},

	"help/decline-final": {
		article{"银行拒绝", "发卡银行拒绝了本笔,同一张卡再刷结果一样。", "没有扣款。", "换卡或其他方式付款。"},
		article{"Refused", "The bank refused this payment; the same card would be refused again.", "Not charged.", "Another card or another way to pay."}},
	"help/decline-issuer": {
		article{"请联系发卡行", "发卡银行要求持卡人与其联系。", "没有扣款。", "请持卡人拨打卡背面电话,或换卡。"},
		article{"Call the issuer", "The issuer wants to hear from the cardholder.", "Not charged.", "The cardholder calls the number on the card, or another card."}},
	"help/decline-acquirer": {
		article{"商户或终端设置", "主机不接受本商户或本终端的这种交易。", "没有扣款。", "联系收单机构,报终端号和代码。"},
		article{"Merchant or terminal", "The host does not take this kind of payment from this merchant or terminal.", "Not charged.", "Call the acquirer with terminal number and code."}},
	"help/decline-keep": {
		article{"发卡行要求留卡", "发卡银行要求收回此卡,原因只有银行知道。", "没有扣款。", "不要强行留卡,也不要猜测原因;联系收单机构,按其指示处理。"},
		article{"The bank wants the card", "The issuer asks for the card back; only the bank knows why.", "Not charged.", "Do not take it by force and do not guess; call the acquirer and do as they say."}},
	"help/decline-pin": {
		article{"密码错", "银行说密码不对。多次输错会被锁定。", "没有扣款。", "请顾客核对后做一笔新交易,或换卡。"},
		article{"Wrong PIN", "The bank says the PIN is wrong. Too many errors lock it.", "Not charged.", "The customer checks it, then a new sale; or another card."}},
	"help/decline-pin-locked": {
		article{"密码已锁", "密码输错次数超限,今天再输也无效。", "没有扣款。", "请持卡人联系发卡银行,或换卡。"},
		article{"PIN locked", "Too many wrong PINs; more tries are useless.", "Not charged.", "The cardholder calls the bank, or another card."}},
	"help/decline-chip": {
		article{"请使用芯片", "银行要求使用芯片,或磁条校验不符。", "没有扣款。", "用芯片,或换卡付款。"},
		article{"Use the chip", "The bank wants the chip, or the stripe failed its check.", "Not charged.", "Use the chip, or another card."}},
	"help/decline-funds": {
		article{"可用余额不足", "卡内可用余额或额度不够。", "没有扣款。", "换卡、换金额或用其他方式付款。"},
		article{"Insufficient funds", "The balance or credit line does not suffice.", "Not charged.", "Another card, another amount or another way to pay."}},
	"help/decline-limit": {
		article{"发卡行限制", "超出发卡银行的金额或次数限制,与本机无关。", "没有扣款。", "换卡或其他方式付款。"},
		article{"Limit of the issuer", "An amount or count limit of the card's bank; the terminal is fine.", "Not charged.", "Another card or another way to pay."}},
	"help/decline-format": {
		article{"主机要求重做", "主机没有读懂这一笔。", "没有扣款。", "可再做一笔;仍如此请联系收单机构。"},
		article{"Message not taken", "The host could not read this one.", "Not charged.", "One new sale; if it happens again, call the acquirer."}},
	"help/decline-later": {
		article{"银行暂时不能处理", "主机日切,或发卡银行暂时不能处理。", "没有扣款。", "等一分钟再收,或换卡付款。"},
		article{"Bank not available", "The host closes its day, or the issuer is away.", "Not charged.", "Wait a minute, or another card."}},
	"help/decline-unproven": {
		article{"不能证明未记账", "这种应答不能证明银行没有记账。", "付款由本机自动冲正,不会多扣款。", "请勿重刷此卡,等待“已冲正”;其他卡可以付款。"},
		article{"Not proven", "This answer does not prove that nothing was booked.", "The device sends a reversal by itself; nothing is charged twice.", "Do not swipe this card again, wait for REVERSAL DONE; other cards may pay."}},
	"help/decline-stan": {
		article{"流水号重复", "主机已有同号的另一笔,本笔未受理。", "本笔没有扣款;另一笔是否扣款看签购单。", "核对上一笔签购单。本机已跳过用过的号码。"},
		article{"Duplicate number", "The host has another payment with this number; this one was not taken.", "This one is not charged; see the slip of the other.", "Check the last slip. The device has skipped the used numbers."}},
	"help/decline-key": {
		article{"密钥不同步", "主机说密钥或校验不对,本机会自动签到。", "没有扣款。", "签到完成后再收款;仍如此联系收单机构。"},
		article{"Keys out of step", "The host says a key or check is wrong; the device signs on by itself.", "Not charged.", "After the sign-on start a new sale; else call the acquirer."}},
	"help/decline-batch": {
		article{"需要结算或上送", "主机要求先结算或上送脱机数据。", "本笔没有扣款。", "请主管结算后再收款。"},
		article{"Settle first", "The host wants a settlement or an upload first.", "This one is not charged.", "The supervisor settles, then start a new sale."}},
}
