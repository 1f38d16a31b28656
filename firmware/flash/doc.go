// Package flash is the laptop's end of an update over the service cable: it finds
// ports, asks what a device has, sends the least that makes the new build of it,
// goes on after a pulled cable, starts the trial and waits for its end.
//
// Sources:
//   - WIRE: firmware/doc/wire.md, "The flash frames"
//   - ESPTOOL: esptool issues 203, 252, 394: time-outs that a lower rate cures, of
//     which the tool says nothing
//   - ADR44: firmware/doc/adr/0044-flash-by-postool.md
//
// What is said on the line is package update/flashwire's; this one owns the ports,
// the time and the words for a human. A run never ends in silence: each device gets
// a [Result] with what happened and what to do.
package flash
