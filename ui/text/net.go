package text

import "swipewell/ui/prompt"

// net makes a row for a cause on the way to the host. All of these are proven
// not sent: that is said first.
func net(c prompt.Code, zhTitle, zhNext, enTitle, enNext string) row {
	return row{c,
		Message{zhTitle, "未发送,未扣款。<\n{amount}元 ><卡{card}><\n{field}>", zhNext, zhTitle + "\n未发送,未扣款"},
		Message{enTitle, "Not sent, not charged.<\nRMB {amount} ><card {card}><\n{field}>", enNext, enTitle + "\nNot sent, not charged"}}
}

// netRows: one per hal.LinkCause.
var netRows = []row{
	net(prompt.NetUnknown, "线路不通", "检查线路后可重新收款", "NO LINE", "Check the line, then start a new sale"),
	net(prompt.NetModemSilent, "通讯模块无响应", "本机正在复位模块,稍后可再收", "MODEM SILENT", "It is being reset; wait, then a new sale"),
	net(prompt.NetNoSIM, "未插SIM卡", "请检查SIM卡,或联系技术员", "NO SIM CARD", "Check the SIM card or call the technician"),
	net(prompt.NetNoSignal, "没有信号", "请移到窗边或信号好的地方", "NO SIGNAL", "Move to a window, then start a new sale"),
	net(prompt.NetNotRegistered, "未登录移动网络", "请等信号格出现后再收款", "NO NETWORK YET", "Wait for signal bars, then a new sale"),
	net(prompt.NetRefused, "网络拒绝SIM卡", "SIM卡可能停用,请联系收单机构", "SIM REFUSED", "The SIM may be barred: call the acquirer"),
	net(prompt.NetNoData, "数据连接失败", "请联系收单机构检查流量与APN", "NO DATA SERVICE", "Call the acquirer: data plan and APN"),
	net(prompt.NetDNS, "找不到银行主机", "请联系技术员检查主机地址", "HOST NOT FOUND", "Technician: check the host's name"),
	net(prompt.NetHostRefused, "银行主机拒绝连接", "请稍候再收;仍不行联系收单机构", "HOST REFUSED", "Wait, then a new sale; else the acquirer"),
	net(prompt.NetHostSilent, "银行主机连不上", "请稍候再收;仍不行联系收单机构", "HOST SILENT", "Wait, then a new sale; else the acquirer"),
	net(prompt.NetTLS, "安全连接失败", "请联系技术员检查证书与时钟", "TLS REFUSED", "Technician: check certificate and clock"),
	net(prompt.NetClosed, "线路被断开", "稍候可重新收款", "LINE CLOSED", "Wait a little, then start a new sale"),
	net(prompt.NetBusy, "线路占用", "请等几秒再收款", "LINE BUSY", "Wait some seconds, then a new sale"),
	net(prompt.NetNoDialTone, "没有拨号音", "请检查电话线", "NO DIAL TONE", "Check the telephone line"),
	net(prompt.NetNoCarrier, "拨号未接通", "请检查电话线,稍候再收款", "NO CARRIER", "Check the line, then start a new sale"),
	net(prompt.NetNoCable, "网线未接", "请插好网线", "NO CABLE", "Plug the network cable in"),
	net(prompt.NetDevice, "通讯口故障", "请联系技术员", "PORT FAULT", "Call the technician"),
}
