// Package dump reads a card as far as that changes nothing but its counter, and shows
// it as a tree: the directory, each application's FCI, profile and file locator, its
// records, and what GET DATA gives. It asks for no cryptogram and tries no PIN.
//
// Sources (EMV edition 4.3):
//   - B1: EMV Book 1 §11.3, §12.2, §12.3 (SELECT, directory, list of AIDs)
//   - B3: EMV Book 3 §6.5, §10.1, §10.2, Annex A and C (commands, records, codings)
//   - PCI: PCI DSS 4.0 §3.4.1 (a number is shown by its first six and last four digits)
//
// Whose card it is stays unsaid: the number is masked, of tracks and names only the
// length is told, of what the dictionary does not know or what is long (certificates
// hold the number), the size. A value in which the number stands in digits is not shown.
package dump
