// Package console is how a technician and a field engineer ask the device: a
// line console on the service cable ([Shell]) and a unix socket that postool
// and the bench use ([Server], [Client]). Both answer from one [Backend] and
// print with the same functions.
//
// Sources:
//   - UNIX7: unix(7), the mode of a socket's file
//   - VT100: what golang.org/x/term needs of a terminal program
//   - WIRE: firmware/doc/wire.md, the service socket
//
// The socket speaks JSON, one object a line. A request is answered by any
// number of items and one end:
//
//	→ {"cmd":"queue"}
//	← {"kind":"reversal","data":{"context":"cup","batch":1,"stan":123,…}}
//	← {"end":true,"ok":true}
//
// The cable and the socket never show a card number, a PIN or a key: what they
// print comes from types that cannot hold one.
package console
