package days

import "time"

// Shop is how one kind of merchant sells on an honest day. All of it is assumed;
// the reasons stand beside the numbers.
type Shop struct {
	Name        string  // of its rules profile
	Open, Close float64 // hours of the day; 0 and 24: never closed
	Visits      int     // customers a day who pay by card, before what they come back for
	Weekend     float64 // so many times of that on Saturday and Sunday
	Night       float64 // of an ordinary hour's visits, from 23:00 to 6:00
	Peaks       []Peak
	Prices      Prices
	Extra       Prices // of what somebody comes back for, or pays later in a visit; zero: the same
	Known       int    // regular customers
	KnownShare  int    // per cent of visits that are theirs
	Chip        int    // per cent of cards that are inserted, the others swiped
	OrderRef    int    // per cent of sales whose order number is keyed, where the profile asks for it
	Qty         int    // per cent of single tickets at which a 1 is keyed, rather than enter alone; groups are always keyed
	Stories     Stories
}

// Peak is a busy time of the day.
type Peak struct {
	Hour   float64 // its middle
	Width  float64 // hours to either side
	Height float64 // visits there, on top of an ordinary hour's 1
}

// Prices say what a purchase costs. So many per cent are from a list, the n-th
// price 1/n as often as the first; the others are lognormal.
type Prices struct {
	List   []int64 // fen
	Items  int     // most pieces of one purchase; each further one half as likely
	Share  int     // per cent of purchases from the list
	Median int64   // fen, of the others
	Sigma  float64 // of their logarithm
	Step   int64   // fen, to which they are rounded
	Party  int     // most tickets of a party; 0: the shop sells no tickets
}

// Stories are the honest repeats of THROTTLE §3.5, in visits of 1,000.
type Stories struct {
	Twice     float64 // the same card pays the same sum for somebody else
	TwiceIn   time.Duration
	Gifts     float64 // three to five equal sums one after another
	Split     float64 // one bill on two to four cards
	Again     float64 // comes back for something else
	AgainIn   time.Duration
	Chain     float64 // several payments of one visit: two, or more
	ChainIn   time.Duration
	ChainMost int
	Correct   float64       // a wrong amount, voided, and the right one
	Rides     float64       // of each ticket: another ride follows
	RidesIn   time.Duration // median, as are the others ending in In
}

// Shops are the kinds of merchant that the build has a rules profile for.
var Shops = []Shop{
	{
		// A convenience store: open from early to late, small sums from thirty prices,
		// neighbours who come every other day.
		Name: "conv", Open: 6, Close: 24, Visits: 320, Weekend: 0.9,
		Peaks: []Peak{{7.5, 1, 2}, {12, 1, 2}, {18.5, 1.5, 1.5}}, // on the way to work, lunch, on the way home
		Prices: Prices{List: []int64{300, 350, 450, 500, 250, 600, 800, 550, 1200, 1500, 1980, 400, 700, 990, 1250, 2200, 2600, 650, 1680, 900,
			3500, 1100, 1350, 2800, 4500, 200, 5900, 1850, 3200, 150}, Items: 4, Share: 100}, // drinks, rice balls, cigarettes
		Known: 900, KnownShare: 55, Chip: 60,
		Stories: Stories{
			Twice: 1, TwiceIn: 90 * time.Second, // the same lunch for a colleague, on a bill of its own
			Gifts: 0.05,                        // five equal phone cards
			Split: 1,                           // two friends, half each
			Again: 8, AgainIn: 4 * time.Minute, // forgot something
			Correct: 1, // a digit too many
		},
	},
	{
		// A restaurant: two services, bills in whole yuan, parties that split.
		Name: "resto", Open: 10.5, Close: 22, Visits: 110, Weekend: 1.4,
		Peaks:  []Peak{{12.5, 1, 5}, {19, 1.5, 6}},
		Prices: Prices{List: []int64{6800, 8800, 12800, 9800, 16800}, Items: 2, Share: 15, Median: 18_000, Sigma: 0.6, Step: 100}, // set menus; the rest à la carte
		Extra:  Prices{Median: 4500, Sigma: 0.6, Step: 100},                                                                       // drinks
		Known:  400, KnownShare: 25, Chip: 80, OrderRef: 60,                                                                       // the bill's number, when it is at hand
		Stories: Stories{
			Twice: 2, TwiceIn: 2 * time.Minute, // one host, two equal tables
			Gifts: 0.1,                           // vouchers
			Split: 60,                            // students and colleagues
			Again: 25, AgainIn: 15 * time.Minute, // one more round, coffee
			Correct: 3, // the wrong table's bill
		},
	},
	{
		// A petrol station: never closed, half of the tanks for a round sum.
		Name: "fuel", Open: 0, Close: 24, Visits: 260, Weekend: 1.1, Night: 0.25,
		Peaks:  []Peak{{8, 1, 2}, {18, 1.5, 2}},
		Prices: Prices{List: []int64{20_000, 30_000, 10_000, 25_000, 15_000, 50_000, 40_000}, Items: 1, Share: 50, Median: 28_000, Sigma: 0.35, Step: 1},
		Extra:  Prices{List: []int64{600, 1000, 500, 1500, 2000}, Items: 3, Share: 70, Median: 4000, Sigma: 0.8, Step: 100}, // the shop; a wash
		Known:  800, KnownShare: 45, Chip: 75,
		Stories: Stories{
			Twice: 1.5, TwiceIn: 3 * time.Minute, // two cars of one household, both for 200.00
			Again: 120, AgainIn: 2 * time.Minute, // the shop, after the pump
			Correct: 1,
		},
	},
	{
		// A supermarket's till: odd sums, the whole quarter buys here.
		Name: "super", Open: 8, Close: 22, Visits: 520, Weekend: 1.4,
		Peaks:  []Peak{{10.5, 1, 1}, {18.5, 1.5, 2.5}},
		Prices: Prices{List: []int64{10_000, 20_000, 50_000, 1990, 2990}, Items: 1, Share: 3, Median: 7800, Sigma: 0.9, Step: 1}, // gift cards, offers of the day
		Extra:  Prices{Median: 1800, Sigma: 0.7, Step: 1},
		Known:  2500, KnownShare: 65, Chip: 70,
		Stories: Stories{
			Twice: 0.4, TwiceIn: 2 * time.Minute, // a second basket of the same offer
			Gifts: 0.15, // gift cards, a slip each
			Split: 1,
			Again: 5, AgainIn: 5 * time.Minute, // forgot the milk
			Correct: 1,
		},
	},
	{
		// A clinic: registration, examination, laboratory and medicine of one visit,
		// all on one card, the small fees the same for everybody.
		Name: "clinic", Open: 7.5, Close: 17, Visits: 110, Weekend: 0.5,
		Peaks:  []Peak{{8.5, 1, 3}, {14, 1, 1.5}},
		Prices: Prices{List: []int64{2500, 5000, 1500, 12_000, 8000, 26_000, 1000}, Items: 1, Share: 55, Median: 14_000, Sigma: 0.9, Step: 1}, // registration
		Extra:  Prices{List: []int64{8000, 12_000, 5000, 26_000}, Items: 1, Share: 25, Median: 14_000, Sigma: 0.9, Step: 1},                   // laboratory; the rest by item
		Known:  600, KnownShare: 20, Chip: 80, OrderRef: 50,                                                                                   // the number of the charge, from its paper
		Stories: Stories{
			Twice: 5, TwiceIn: 2 * time.Minute, // two children, the same fee
			Chain: 450, ChainIn: 12 * time.Minute, ChainMost: 5,
			Correct: 1,
		},
	},
	{
		// Rides at a fair: three prices, parties, and who liked it rides again.
		Name: "ticket", Open: 9.5, Close: 21.5, Visits: 300, Weekend: 1.8,
		Peaks:  []Peak{{15, 2, 2}, {19, 1, 1}},
		Prices: Prices{List: []int64{3000, 5000, 8000}, Items: 1, Share: 100, Party: 5},
		Known:  100, KnownShare: 2, Chip: 60, Qty: 30, // the screen offers 1: most press enter
		Stories: Stories{
			Twice: 3, TwiceIn: 90 * time.Second, // a friend's ticket, after all
			Rides: 280, RidesIn: 20 * time.Minute, // the ride and its queue take 15 to 30 minutes
			Correct: 1,
		},
	},
	{
		// A hotel's desk: two peaks, large sums, deposits in round hundreds.
		Name: "hotel", Open: 0, Close: 24, Visits: 45, Weekend: 1.2, Night: 0.1,
		Peaks:  []Peak{{9, 1.5, 5}, {15, 2, 4}, {21, 2, 1}}, // out, in, late
		Prices: Prices{List: []int64{50_000, 35_800, 42_800, 100_000, 29_800, 71_600, 20_000}, Items: 1, Share: 60, Median: 38_000, Sigma: 0.8, Step: 100},
		Extra:  Prices{List: []int64{50_000, 100_000, 20_000}, Items: 1, Share: 60, Median: 9000, Sigma: 0.7, Step: 100}, // deposits; minibar and bar
		Known:  200, KnownShare: 20, Chip: 85, OrderRef: 70,                                                              // the room's folio
		Stories: Stories{
			Twice: 25, TwiceIn: 90 * time.Second, // two rooms, one card
			Chain: 80, ChainIn: 8 * time.Minute, ChainMost: 3, // room, deposit, minibar
			Correct: 3,
		},
	},
	{
		// A booth at a trade fair: strangers, a few goods, a slip for each gift.
		Name: "booth", Open: 9, Close: 17, Visits: 60, Weekend: 1.5,
		Peaks:  []Peak{{11, 1, 1}, {14.5, 1, 1}},
		Prices: Prices{List: []int64{9900, 19_900, 4900, 29_900, 14_900, 39_900}, Items: 2, Share: 85, Median: 12_000, Sigma: 0.7, Step: 100},
		Known:  20, KnownShare: 5, Chip: 65,
		Stories: Stories{
			Twice: 5, TwiceIn: 2 * time.Minute,
			Gifts: 0.5,
			Again: 20, AgainIn: 6 * time.Minute, // the round of the hall, and back
			Correct: 2,
		},
	},
}

// ShopNamed finds a shop by its rules profile.
func ShopNamed(name string) (Shop, bool) {
	for _, s := range Shops {
		if s.Name == name {
			return s, true
		}
	}
	return Shop{}, false
}
