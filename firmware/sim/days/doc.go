// Package days lives through whole days of honest trade: what a merchant sells,
// to whom, how cards fail and banks refuse, and the two accidents by which a
// customer is charged twice. It drives the real reducer with the real rules and
// keeps the rows that the loop would keep; there is no I/O, every chance comes
// from one seed, and a seed replays exactly.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md: the rules, §3.5 honest repeats, §5 measures and goals
//   - DESIGN: design §2, the loop around the reducer and the money rules
//   - LOOP: firmware/terminal, whose keepRows, noteSoft, watch and scopesFor are done here without a store
//   - AN: developer.authorize.net, "Response for Duplicate Transactions"; support.authorize.net 000001473
//   - BT: developer.paypal.com/braintree, "Duplicate Transaction Checking"
//   - PF: civicplus.help, "Duplicate Transactions with Heartland" (Portico)
//   - HEL: devdocs.helcim.com, "Suspected Duplicates"
//   - CLV: docs.clover.com, "Check for duplicate payments"
//   - PAX: paxus.zohodesk.com, "Local Duplicate Check"
//   - TST: doc.toasttab.com, "EMV double-dip protection"
//   - ADY: docs.adyen.com, "Standard risk rules", and THROTTLE §2.1 for its defaults
//   - CN: pages of acquirers in China, by way of THROTTLE §2.1 and §3.4
//
// What is measured, each for 1,000 honest purchases: questions, notes beside the
// confirm step, results shown again, waits, calls for a supervisor and refusals;
// how many accidental repeats come to somebody's notice, by how late they are;
// and whether a card whose answer was lost is held. What each attempt truly is
// (Truth) is known to who makes the traffic and to nobody that decides.
//
// What it is not: the numbers of the traffic (shops.go, people.go) are
// assumptions, with a reason each; no field data stands behind them. They were
// made before the first result was seen, save what that result showed to be no
// honest trade: a tank of petrol bought in the shop (Shop.Extra), five payments
// in a row at a hotel's desk, customers who forget at once what their bank said,
// and a second purchase begun while the first was not settled. Opts.Stories multiplies the honest repeats, to
// see how far a goal carries.
//
// That a repeat comes within two hours is by construction (people.go), and so
// are the same card and the same amount: R02 is made for exactly these. What can
// be learned is where an exemption lets one through, by how late it comes, and
// what all of it costs honest customers.
//
// What it leaves out: tips, pre-authorisations and completions (linked to an
// original and exempt), refunds, offline sales, keyed cards, power cuts and a
// dead line, which the soak and the model have. What is learned of a merchant
// (amounts, hours) is learned as the device does, by firmware/care; the first two
// weeks of a life are lived and not counted, since rules that need a past wait for
// it.
package days
