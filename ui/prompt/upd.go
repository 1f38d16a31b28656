package prompt

// Updates of the program. F-UPD-01 to F-UPD-15 are the reasons of package update,
// in its order.
const (
	UpdReceiving Code = "P-UPD-01" // a bundle comes over the service cable
	UpdTrial     Code = "P-UPD-02" // the running build is on trial
	UpdWaits     Code = "P-UPD-03" // on trial, and the data wait for its end: nothing is sold for a minute

	UpdOther        Code = "F-UPD-00" // what is no refusal of package update
	UpdNotABundle   Code = "F-UPD-01"
	UpdWrongProduct Code = "F-UPD-02"
	UpdWrongBoard   Code = "F-UPD-03"
	UpdTooOld       Code = "F-UPD-04"
	UpdUnsigned     Code = "F-UPD-05"
	UpdForged       Code = "F-UPD-06"
	UpdNoBase       Code = "F-UPD-07"
	UpdDamaged      Code = "F-UPD-08"
	UpdCut          Code = "F-UPD-09"
	UpdSlotFull     Code = "F-UPD-10"
	UpdWrongSchema  Code = "F-UPD-11"
	UpdMoneyOpen    Code = "F-UPD-12"
	UpdOnTrial      Code = "F-UPD-13"
	UpdBusy         Code = "F-UPD-14"
	UpdMedium       Code = "F-UPD-15"
	UpdRolledBack   Code = "F-UPD-16" // a build on trial failed; the one before runs

	LogUpdOffered   Code = "E-UPD-01"
	LogUpdRefused   Code = "E-UPD-02"
	LogUpdInstalled Code = "E-UPD-03"
	LogUpdTrial     Code = "E-UPD-04"
	LogUpdConfirmed Code = "E-UPD-05"
	LogUpdBack      Code = "E-UPD-06"
	LogUpdErased    Code = "E-UPD-07"
)
