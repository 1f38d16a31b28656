// Package flashwire is how postool flash brings a bundle over the service cable:
// frames of 1 KiB in a window, of which only those that were lost are sent again.
// Both ends are machines without I/O; time comes in with each call.
//
// Sources:
//   - COBS: S. Cheshire, M. Baker, "Consistent overhead byte stuffing", IEEE/ACM
//     Trans. Networking 7(2), 1999
//   - WIRE: firmware/doc/wire.md, "The flash frames"
//
// A frame lies between zero bytes, which neither a console's text nor an SMP
// frame has. A serial line keeps order: once a frame is acknowledged that was sent
// later, every earlier one that is not is lost. So a lost frame is known within a
// window, and nobody waits for silence while there is something to send.
package flashwire
