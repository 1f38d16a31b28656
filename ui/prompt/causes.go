package prompt

// CauseNames are the sub-causes as rule files and scenarios name them, each with
// the code of its sentence. What tells them apart is in firmware/diagnose.
var CauseNames = map[string]Code{
	"NONE":          CauseNone,
	"OPR.repeat":    CauseRepeat,
	"OPR.interface": CauseInterface,
	"OPR.funds":     CauseFunds,
	"OPR.technique": CauseTechnique,
	"OPR.flow":      CauseFlow,
	"NET.signal":    CauseSignal,
	"NET.route":     CauseRoute,
	"NET.quality":   CauseQuality,
	"NET.sim":       CauseSIM,
	"LIM.count":     CauseCount,
	"LIM.amount":    CauseAmount,
	"LIM.host":      CauseHost,
	"BAD.card":      CauseCard,
	"BAD.keyed":     CauseKeyed,
	"BAD.data":      CauseData,
	"SYS.reader":    CauseReader,
	"SYS.storage":   CauseStorage,
	"SYS.software":  CauseSoftware,
	"SYS.clock":     CauseClock,
	"SYS.tamper":    CauseTamper,
	"PEAK":          CausePeak,
	"FRD.testing":   CauseTesting,
	"FRD.cashout":   CauseCashOut,
	"FRD.stolen":    CauseStolen,
	"EXT.radio":     CauseRadio,
	"EXT.power":     CausePower,
}
