package diagnose

// scale and temper turn nats into shares; both were fitted on the seeds that
// `posbench scenarios --fit` names, and are reported on others.
const (
	scale  = 1.8
	temper = 1.0
)

// priors are log-odds before anything was seen. THROTTLE §4.
var priors = [Causes]float64{NONE: -.6, OPR: -1, NET: -1.2, LIM: -1.2, BAD: -1.5, SYS: -1.6, PEAK: -1.8, FRD: -2.2, EXT: -2.2}

// levels of a weight: at level 1 and at level 2, in nats.
type levels [2]float64

// weights are what each signal says for each cause. THROTTLE §4.
var weights = [signals][Causes]levels{
	MSRMany: {SYS: {1, 2.2}, EXT: {.2, .4}},
	MSROne:  {BAD: {1, 2}, SYS: {-.4, -.8}},
	Hand:    {OPR: {1, 2}, SYS: {-.2, -.5}},
	ICCMany: {SYS: {1, 2.2}, EXT: {.2, .4}},
	ICCOne:  {BAD: {1, 2}, SYS: {-.4, -.8}},
	CSQ:     {NET: {.9, 1.9}, EXT: {.2, .4}},
	BER:     {EXT: {1, 2}, NET: {.2, .3}},
	Reg:     {NET: {.5, 1}, EXT: {.4, 1}},
	SIM:     {NET: {1.2, 2.4}},
	RTT:     {NET: {.6, 1.2}, PEAK: {.5, .8}},
	TMO:     {NET: {.8, 1.6}, PEAK: {.2, .4}, EXT: {.2, .4}},
	ReTx:    {NET: {.9, 1.8}, EXT: {.3, .5}},
	EchoBad: {NET: {.8, 1.6}, LIM: {-.3, -.6}},
	HostBad: {LIM: {1, 1.8}, NET: {-.6, -1.2}},
	Limit:   {LIM: {1.6, 2.8}},
	HostRC:  {LIM: {1, 1.8}, PEAK: {.2, .3}},
	Pickup:  {FRD: {1, 2.6}},
	InputRC: {BAD: {1.2, 2.2}},
	Format:  {BAD: {1.4, 2.6}, OPR: {.2, .2}},
	Funds:   {OPR: {1.2, 2.2}},
	Fast:    {OPR: {1.3, 1.9}, FRD: {.2, .4}, NONE: {-.6, -.6}},
	Many:    {FRD: {.8, 1.6}},
	BIN:     {FRD: {1.8, 3.2}},
	Sums:    {FRD: {1.2, 2.4}},
	Undo:    {OPR: {1, 2}},
	Wrong:   {OPR: {1.1, 2.1}},
	Busy:    {PEAK: {1.2, 2.4}},
	Queue:   {PEAK: {1, 2}},
	Machine: {SYS: {.7, 1.4}, PEAK: {.3, .5}},
	Disk:    {SYS: {1.6, 3}},
	Clock:   {SYS: {1.4, 2.6}},
	Case:    {SYS: {1.6, 3.2}, FRD: {.3, .8}},
	Starts:  {SYS: {1.4, 2.6}},
	Both:    {EXT: {1.5, 2.9}, SYS: {-.3, -.6}, NET: {-.3, -.6}},
	Backup:  {NET: {.9, 1.8}, LIM: {-.2, -.4}},
	Meant:   {NONE: {1.4, 2.6}, FRD: {-.8, -.8}, OPR: {-.6, -.6}},
	Well:    {NONE: {1, 2}},
}
