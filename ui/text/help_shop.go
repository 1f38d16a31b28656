package text

// shopHelp: pages of rules, causes and what a shop does beside selling.
var shopHelp = map[string]page{
	"help/version": {
		article{"程序或参数过旧", "程序或参数超过规定的天数。", "收款照常,账目不变。", "请技术员更新程序,或菜单-管理-参数下载。"},
		article{"Out of date", "Program or parameters are older than allowed.", "Sales go on, the books stay.", "The technician updates it; menu, manage, parameters."}},
	"help/duplicate": {
		article{"此卡刚付过同一金额", "这张卡在本机已经付过这个金额。屏幕上有上一笔的时间和凭证号。", "上一笔已经成功;这一次还没有发送。", "按1看上一笔,按2补打。确实是另一笔,按3继续。"},
		article{"The same card and amount", "This card has paid this amount here. The screen has the time and the trace number.", "The earlier payment went through; nothing was sent this time.", "1 shows it, 2 prints it. If this is another payment, 3 goes on."}},
	"help/frequent": {
		article{"刷卡过于频繁", "同一张卡在短时间内已成功付款多次。只有成功的付款才计数,读不出和没有应答的不算。", "这一次没有发送。", "等屏幕上的时间到,或换卡;主管可按F2核对后放行。"},
		article{"Too frequent", "This card has paid several times lately. Only payments that went through count, never a card that was not read or a bank that did not answer.", "Nothing was sent this time.", "Wait for the time on the screen, or another card; a supervisor may let it pass with F2."}},
	"help/bank-says": {
		article{"发卡行的限制", "发卡行刚才的应答在一段时间内不会改变,再问没有用。", "这一次没有发送。", "请换卡、换金额或其他方式;顾客可联系发卡行。"},
		article{"What the bank said", "The bank's answer will not change for a while; asking again is useless.", "Nothing was sent this time.", "Another card, amount or method; the customer may call the bank."}},
	"help/declined-often": {
		article{"银行多次拒绝", "同一张卡连续被银行拒绝。再多问几次,卡可能被锁。", "被拒绝的各笔都没有入账;这一次没有发送。", "请换卡,它马上可以付;或等时间到,或主管按F2。"},
		article{"Refused several times", "The bank refused this card in a row. Asking on may lock it.", "The refused ones were not booked; nothing was sent this time.", "Another card can pay at once; or wait, or supervisor F2."}},
	"help/busy": {
		article{"高峰", "现在比平常忙,或银行系统较慢。不会因为忙而拒绝顾客。", "每一笔照常处理,不会重复。", "一位一位来;等结果出来再收下一位。"},
		article{"Busy", "It is busier than usual, or the bank is slow. Nobody is refused for that.", "Each payment is handled as always, once.", "One customer after another; wait for each result."}},
	"help/supervisor": {
		article{"请主管核对", "有一条规则要求第二个人看一眼。不说明顾客有问题。", "这一次没有发送。", "主管按F2,输入工号和密码;批准只对这张卡、这个金额,两分钟内有效。也可以换卡。"},
		article{"A supervisor looks", "A rule wants a second person. It says nothing about the customer.", "Nothing was sent this time.", "The supervisor presses F2, keys number and PIN; it is good for this card and amount, two minutes. Another card may pay."}},
	"help/guide": {
		article{"三步收款", "先输金额,再刷卡,最后核对并确认。", "确认之前不会发送。", "1 输金额按确认  2 刷卡  3 核对金额和卡号,按确认"},
		article{"Three steps", "Amount, then card, then check and confirm.", "Nothing is sent before you confirm.", "1 key the amount, enter  2 the card  3 check amount and card, enter"}},
	"help/keyed": {
		article{"手输卡号", "读不出时,有的店可以输入卡号和有效期。校验不对的号码不会送出。", "输入卡号时不发生扣款。", "照卡面输入,按确认;连错三次,手输暂停5分钟。"},
		article{"Typing a card number", "Where a shop may, number and expiry are typed. A number that fails its check is never sent.", "Nothing is charged while you type.", "Type what the card shows, then enter; after three mistakes typing rests for 5 minutes."}},
	"help/safe": {
		article{"记录刚恢复", "本机记住的刷卡记录刚从备份恢复,可能少了最近几笔。", "账目和冲正都在;只是不能确定此卡刚才付过没有。", "先问顾客这一单付过没有,没有再继续。24小时后自动结束。"},
		article{"A restored record", "The record of cards came from a backup; the last few may be missing.", "Books and reversals are all there; only whether this card has just paid is not sure.", "Ask whether this order is paid; go on if not. It ends by itself after 24 hours."}},
	"help/amount-day": {
		article{"日限额", "本店或收单机构设了一天的限额。", "这一次没有发送。", "请换卡,或请主管按F2。"},
		article{"Limit of the day", "The shop or the acquirer has set a limit for a day.", "Nothing was sent this time.", "Another card, or supervisor F2."}},
	"help/custody": {
		article{"灌主密钥", "主密钥分成两或三份,由不同的保管人各输入一份。", "不涉及扣款;断电或取消后原密钥不变。", "照密钥信输入32位和校验值;点键后按1至6为A至F。"},
		article{"Master key", "It is in two or three parts; each custodian keys one, and no other's.", "No money moves here; after a cut or cancel the old key stays.", "Key the 32 digits of the letter and its check value. Dot, then 1-6: A-F."}},
	"help/name": {
		article{"工号和密码", "需要知道是谁在操作。批准交易的人不能是当班操作员本人。", "不涉及扣款。", "本人输入工号和密码;连错5次停用30分钟。"},
		article{"Number and PIN", "It must be known who acts. Who approves a sale is not the operator at the desk.", "No money moves here.", "Key your own number and PIN; five wrong ones rest for 30 minutes."}},
	"help/shift": {
		article{"操作员签到", "每班签到后,记录算在本人名下。", "不涉及扣款。", "菜单-店务-操作员签到;交班时签退。"},
		article{"Operators", "After signing on, the record is under your name.", "No money moves here.", "Menu, shop, operator; sign off at the end of the shift."}},
	"help/duty": {
		article{"先结算", "批次太久没有结算。先停退货,过了宽限期才停消费。", "已收的款都在批次里,不会丢。", "菜单-结算;完成后马上恢复。"},
		article{"Settle first", "The batch is open for too long. Refunds stop first, sales only after a grace period.", "All payments are in the batch; nothing is lost.", "Menu, settle; it is over at once."}},
	"help/quantity": {
		article{"数量", "同价的几张票或几件商品一起收,只刷一次卡。", "总价=单价×数量,确认前不发送。", "输入数量按确认;一张直接确认。"},
		article{"How many", "Several tickets of one price in one payment.", "Price times number; nothing is sent before you confirm.", "Key the number, enter; for one just enter."}},
	"help/order": {
		article{"单号", "账单号或订单号,每单一个;桌号、房号会重复,不要用。同一单号只收一次。", "已付的单号再输入,只显示原结果。", "输入单号按确认;没有就直接确认。几位各付一部分时,后面的单号留空。"},
		article{"Order number", "The number of a bill or an order: each has its own. A table or a room comes again, so do not key those.", "A paid order shows its result and charges nothing.", "Key it, enter; without one just enter. Where several pay a part each, the later ones have no number."}},
	"help/why": {
		article{"原因诊断", "本机按证据判断最近的麻烦从哪里来,并说明有多大把握。", "诊断不涉及扣款。", "照提示的一步做;拿不准时先做它建议的试验。"},
		article{"Why", "The device weighs what it has seen and says how sure it is.", "No money moves here.", "Do the one step it names; if it is not sure, try what it suggests."}},
	"help/why-sys": {
		article{"本机的问题", "读卡头、存储、程序或时钟有问题,与顾客无关。", "资金由本机核实,不会多扣。", "照屏幕做,并联系技术员。"},
		article{"The device", "Reader, memory, program or clock; not the customer.", "The device settles all money by itself.", "Do as the screen says and call the technician."}},
	"help/why-net": {
		article{"线路的问题", "信号、线路或SIM卡有问题。没有回音的刷卡不算频繁。", "没有回音的一笔由本机冲正,不会多扣。", "移动位置、检查天线和SIM卡;报修。"},
		article{"The line", "Signal, line or SIM. Swipes without an answer do not count as frequent.", "What got no answer is reversed by the device.", "Move it, look at antenna and SIM; have it mended."}},
	"help/why-opr": {
		article{"操作顺序", "看法和做法上的小问题,不影响账目。", "已成功的一笔不会重复收。", "照屏幕做一步;按F1看图示。"},
		article{"How it is done", "A small thing in the handling; the books are right.", "What went through is not charged again.", "Do the step on the screen; F1 shows pictures."}},
	"help/why-lim": {
		article{"银行的限制", "发卡行或银行系统的限制,与本机无关。", "被拒绝的一笔没有入账。", "请换卡、换方式,或稍等。"},
		article{"Limits of the bank", "Of the issuer or the bank's system; the terminal is fine.", "A refused payment was not booked.", "Another card or method, or wait."}},
	"help/why-bad": {
		article{"卡或数据的问题", "这张卡或输入的数据不对,其他卡正常。", "不对的数据不会送出。", "请换卡或换读法。"},
		article{"The card or its data", "This card or what was typed is wrong; other cards are fine.", "Wrong data is never sent.", "Another card or another way of reading."}},
	"help/why-ext": {
		article{"现场干扰", "几种部件同时受干扰。", "没有回音的一笔由本机冲正,不会多扣。", "移开手机、对讲机、马达;换插座或位置。"},
		article{"Interference", "Several parts are disturbed at once.", "What got no answer is reversed by the device.", "Move phones, radios and motors away; another socket or place."}},
	"help/check": {
		article{"自检", "检查读卡、按键、时钟、存储、密钥、线路、主机和规则,不动资金。", "自检不涉及扣款。", "有不通过的项目,照它的提示做,或联系技术员。"},
		article{"Self-check", "Readers, keys, clock, store, keys of the bank, line, host and rules; no money moves.", "No money moves here.", "Where an item fails, do as it says or call the technician."}},
	"help/ticket": {
		article{"顾客反馈", "把顾客的问题连同这一笔的全部记录登记成工单。", "登记不涉及扣款;冲正结果出来会打印给顾客。", "选交易、选问题,把工单号交给顾客。"},
		article{"Customer feedback", "The question and all that is known of the payment become a ticket.", "No money moves here; the outcome is printed for the customer.", "Choose the payment and the question; give the ticket number."}},
	"help/watch": {
		article{"监控与预警", "和平常同一时段相比,哪里不一样,通知了谁。", "不涉及扣款。", "看过按确认;15分钟没人看会再提醒。"},
		article{"Watch and alerts", "What is not as usual at this hour, and who was told.", "No money moves here.", "Enter says that you have seen it; after 15 minutes it comes again."}},
	"help/peak": {
		article{"高峰预测", "按每周同一时段的记录估计今天什么时候忙。", "不涉及扣款。", "高峰前换纸、充电、签到;结算放到高峰之后。"},
		article{"Peak forecast", "By the same hours of the weeks before.", "No money moves here.", "Paper, power and sign-on before it; settle after it."}},
	"help/staff": {
		article{"操作记录", "每位操作员的笔数、取消、撤销、退货、放行和用时,分数的算法写在页上。", "不涉及扣款。", "觉得不对可以申诉;低于60分先完成一课再退货。"},
		article{"Operators", "Counts and times of each operator; how the score is made stands on the page.", "No money moves here.", "It can be contested; below 60 a lesson comes before refunds."}},
	"help/limits": {
		article{"限额受阻报告", "因银行限额没有做成的交易:代码、笔数、金额。", "这些都没有入账。", "打印后交给银行,申请提额。"},
		article{"Limits report", "What was not sold because of banks' limits: codes, counts, sums.", "None of these was booked.", "Print it for the bank, to ask for more."}},
	"help/spot": {
		article{"抽查", "随机核对最近几笔签购单。", "不涉及扣款。", "主管对照签购单,按1通过,按2不通过;不通过的改正后再查。"},
		article{"Spot check", "A few slips at random.", "No money moves here.", "The supervisor compares: 1 right, 2 not; what is not right is looked at again."}},
	"help/care": {
		article{"保养计划", "按次数和日期提醒清洁、换件。", "不涉及扣款。", "做完由技术员输入密码确认。"},
		article{"Maintenance", "By counts and by the calendar.", "No money moves here.", "When done, the technician confirms with a PIN."}},
	"help/assets": {
		article{"设备清单", "设备、封签、SIM卡、外设和到期日。", "不涉及扣款。", "到期的请更换或检查。"},
		article{"Inventory", "The device, seals, SIM, peripherals and when they are due.", "No money moves here.", "Renew or inspect what is due."}},
	"help/survey": {
		article{"信号勘测", "拿着设备走一圈,记下每处的信号。", "不涉及扣款。", "走到一处按确认记下;结束后放在信号最好的地方。"},
		article{"Signal survey", "Walk with the device and note the signal of each place.", "No money moves here.", "Enter notes a place; put the device where it is best."}},
	"help/runbook": {
		article{"应急规程", "断网、断电、主机无应答时,一步一步怎么做。", "任何时候都不会多扣,也不会丢。", "照步骤做;每月演练一次。"},
		article{"Contingency", "Step by step: no line, no power, no answer.", "Nothing is ever charged twice or lost.", "Follow the steps; drill once a month."}},
	"help/train": {
		article{"训练", "训练模式:所有画面都有“训练”字样,主机在本机里,连不到银行。", "训练中不会扣款。", "选一课,照做;重新开机即退出训练。"},
		article{"Training", "Every screen says TRAINING; the host is inside the device and no bank can be reached.", "Nothing is charged in training.", "Choose a lesson; a restart leaves training."}},
	"help/rules": {
		article{"规则", "正在使用的规则版本、变化和最近的判定。", "不涉及扣款。", "商户只能收紧,不能放松;更新须有签名。"},
		article{"Rules", "The version in force, its changes, and what was decided lately.", "No money moves here.", "A merchant may only tighten; updates are signed."}},
	"help/seal": {
		article{"合规记录", "重要操作前后相连,改动会被发现。", "不涉及扣款。", "技术员可导出核对。"},
		article{"Compliance", "What matters is chained, so that a change shows.", "No money moves here.", "The technician can export and check it."}},
	"help/manual": {
		article{"操作手册", "每个画面都有说明,任何画面按F1。", "不涉及扣款。", "上下键选择,确认键查看。"},
		article{"Manual", "Every screen has its page: F1 anywhere.", "No money moves here.", "Arrows choose, enter shows."}},
}
