package days

import "time"

// How banks, readers and people behave, the same in every shop. Assumed, as the
// shops are; rates are of 1,000 attempts unless said otherwise.
const (
	// What banks refuse. Wrong PINs and too little money lead at a counter.
	declineFunds  = 4.0 // 51
	declinePIN    = 6.0 // 55: every sale asks for a PIN here, and people have more than one
	declineOther  = 1.5 // 05
	declineHost   = 1.0 // 91: the issuer is not there
	declineAmount = 0.5 // 61
	declineCount  = 0.3 // 65
	declineOld    = 0.2 // 54

	// What a second try of the same card brings, per cent.
	fundsStay = 95 // as much again is still not there
	lessPays  = 60 // a smaller sum is
	otherStay = 85 // 05 stays 05 today
	pinRight  = 85 // at the next try
	hostBack  = 50 // the issuer answers again

	// What the customer does after a refusal, per cent; who does none of it pays
	// in cash or leaves.
	fundsOtherCard, fundsLess, fundsSame    = 50, 20, 12
	otherOtherCard, otherSame               = 55, 22
	pinSame, pinOtherCard                   = 85, 8
	countOtherCard, countSame               = 80, 4 // the screen says that today's count is used up
	amountOtherCard, amountLess, amountSame = 50, 30, 5
	hostSame, hostOtherCard                 = 50, 35
	oldOtherCard, oldSame                   = 70, 12
	hasOther                                = 75 // of those who would pay with another card have one

	// How reading fails, per cent of presentations; then once more as likely.
	badStripe, badChip, badAgain = 4, 1, 35

	// At the counter.
	keyPace      = 450 * time.Millisecond // a key
	cardFirst    = 2 * time.Second        // until the card is in, or through
	cardMost     = 7 * time.Second
	confirmFirst = 1600 * time.Millisecond // the read time of the rules is 1.5 s
	confirmMost  = 4 * time.Second
	askedFirst   = 2 * time.Second // a question is read and answered: THROTTLE §3.5 wants three seconds at most
	askedMost    = 5 * time.Second
	pinFirst     = 3 * time.Second
	pinMost      = 9 * time.Second
	answerFirst  = 1200 * time.Millisecond // dialled, answered
	answerMost   = 4 * time.Second
	paperTime    = 3 * time.Second
	noAnswer     = 30 * time.Second // hostlink's default
	patience     = 90 * time.Second // a stop that ends within so much is waited for
	leaves       = 15 * time.Minute // who waited so long for a reversal pays otherwise
)

// The accidents.
const (
	// repeats: the cashier charges a paid order once more, of 1,000 paid. The
	// delay is lognormal, 95 % within 600 s: ln(600/45) ÷ 1.645 = 1.5746.
	repeats      = 3.0
	repeatMedian = 45 * time.Second
	repeatSigma  = 1.5746
	repeatMost   = 2 * time.Hour
	// sameRef: per cent of repeats of an order with a number at which it is keyed
	// again; slipRef: at which a wrong one is keyed, so that it looks like another
	// order. At the others none is.
	sameRef, slipRef = 90, 3
	// overlooks: per cent of repeats at which the note beside the confirm step is
	// on the screen and not read. It counts as shown; the second charge counts,
	// too.
	overlooks = 20

	// lost: the answer is lost, of 1,000 attempts; the host booked half of them.
	lost       = 4.0
	lostBooked = 50 // per cent
	// reswiped: per cent of these at which the same card is presented again before
	// anything is settled, 5 to 90 s later; otherAmount of them for a little more or less.
	reswiped     = 90
	reswipeFirst = 5 * time.Second
	reswipeMost  = 90 * time.Second
	otherAmount  = 25
	// trouble: how long the reversal gets no answer, either; lognormal.
	troubleMedian = 60 * time.Second
	troubleSigma  = 1.0
	// hostSays25: per cent of hosts that answer the reversal of what never arrived
	// with 25, which closes it only 90 s after the last byte (money rule 5).
	hostSays25 = 50
)
