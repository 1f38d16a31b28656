// Package hal says what a card terminal's board offers: small interfaces with
// their value types, one file per device. It knows nobody else in this tree.
//
// Sources, cited by short name:
//   - PERIPH: periph.io/x/conn/v3, the manner of these interfaces
//     ("Devices accept port interface, constructors return concrete type")
//   - ISO7811: ISO/IEC 7811-2/-6, magnetic stripe
//   - ISO7816: ISO/IEC 7816-3, chip cards with contacts
//   - PTS: PCI PIN Transaction Security POI, the boundary that [KeyStore] stands for
//
// Manner: calls block under a context; there are no channels, callbacks or
// registries in an interface; what the world answers (an unreadable stripe, an
// empty paper roll, a line that is down) is a typed value that a person can act
// on; only bugs and broken devices are plain errors. A nil field in [Board]
// means: not fitted.
package hal
