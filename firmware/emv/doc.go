// Package emv is the contact kernel of a chip sale, EMV Level 2, as a pure
// stepper: an R-APDU, a choice, a PIN result or the host's answer comes in, a
// C-APDU, a question or the outcome goes out. It has no clock, no randomness, no
// I/O and no goroutine; all three come in with [Begin] and [Step], so that a
// transcript can be replayed to the byte.
//
// Sources (edition 4.3, November 2011, for all Books):
//   - B1: EMV Book 1, application independent ICC to terminal interface (§12 selection)
//   - B2: EMV Book 2, security and key management (§5 SDA, §6 DDA and CDA, §7 PIN encipherment)
//   - B3: EMV Book 3, application specification (§6 commands, §7.5 errors, §10 functions, Annex C codings)
//   - B4: EMV Book 4, cardholder, attendant and acquirer interface (§6, Annex A)
//   - PKCS1: RSA without padding, as B2 Annex B2.1 uses it
//
// How one sale runs (Book and file):
//
//	select.go    B1 §12      which application
//	gpo.go       B3 §10.1    GET PROCESSING OPTIONS
//	records.go   B3 §10.2    READ RECORD by the AFL
//	oda.go       B3 §10.3    SDA, DDA, first half of CDA; chain.go holds the keys
//	restrict.go  B3 §10.4    version, usage, dates
//	cvm.go       B3 §10.5    cardholder verification; pin.go the offline PIN
//	risk.go      B3 §10.6    floor limit, random selection, velocity, exception file
//	taa.go       B3 §10.7    terminal action analysis
//	ac.go        B3 §10.8    GENERATE AC 1 and 2; cda.go their signature
//	online.go    B3 §10.9    the host's answer, EXTERNAL AUTHENTICATE
//	script.go    B3 §10.10   issuer scripts
//	outcome.go   B3 §10.11   completion
//
// Two walls. A card, however hostile, costs at most [MaxAPDUs] commands and then
// there is an outcome. And an error is never a decline text, a fallback to the
// stripe or an approval: it ends the transaction (B3 §7.5), and if the host has
// said yes by then, the outcome asks for a reversal.
//
// The kernel never sees a PIN: it holds the PIN pad's handle and hands the pad
// what VERIFY needs. What names the card or its holder prints nothing.
package emv
