// Package service is the device's end of the service cable: one port on which a
// technician's text, SMP frames, flash frames and YMODEM come as they like.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, "The service cable", "SMP", "The flash frames"
//   - ADR43: firmware/doc/adr/0043-service-port.md, who may do what without a login
//
// [Mux] parts the bytes: between zeros stand flash frames, 06 09 begins an SMP
// frame, all else is text for a console. The reader never waits for any of them: a
// console that is busy loses what is typed beyond its room, a worker that writes a
// slot loses frames, which come again. [Updates] are the slots behind all three
// ways of a bundle, one sender at a time.
package service
