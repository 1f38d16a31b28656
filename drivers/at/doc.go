// Package at drives a cellular modem with its own TCP stack by AT commands over
// a serial port, as a hal.Dialer.
//
// Sources:
//   - QTCP: Quectel EC200U series TCP/IP application note V1.1
//   - QAT: Quectel EC25/EG25 AT commands manual V2.0
//   - 27.007: 3GPP TS 27.007, AT command set for user equipment
//   - V.250: ITU-T V.250, result codes, echo, escape from data
//   - OFONO: the power-key and reset pulses of oFono's Quectel plug-in
//
// One goroutine owns the port's parser and the modem's state; Dial, Write and
// Evidence hand it work, Read waits on the bytes it collects. The wire is read
// by [Parser], which is told what the running command may get and sorts bytes
// into its reply, a counted block of data, and indications.
//
// How a late reply is kept from completing another command: a modem works on
// one command line after the other and answers in order. A command that timed
// out leaves the parser out of step, and it then refuses every command except
// a probe: a query whose information line no unanswered command could produce
// ("AT+CSQ" while none of those is outstanding). Finals before that line belong
// to the past and are dropped; the one after it is the probe's own, and proves
// that all earlier commands are over. Only then does the next command go out.
//
// How "never sent" is known: payload bytes are written after the modem's
// prompt and at no other time. If the prompt does not come, the call returns
// n = 0 and keeps nothing back that could leave later; should the modem wait
// for the bytes after all, it gets line ends until its count is full.
package at
