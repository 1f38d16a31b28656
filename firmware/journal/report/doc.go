// Package report makes pictures of a journal for people: one HTML file that asks nothing
// of any network, and small plots for a terminal.
//
// Sources:
//   - FLASHLOGS: flash_logs §3, what a field engineer looks for
//   - SVG: W3C SVG 1.1, shapes and text
//
// Six questions, each a plot: how long each stage takes, how the signal is through the
// day, what is declined and why, how often a card is drawn and a rule stops it, what the
// readers cannot read, how deep the outbox is.
package report
