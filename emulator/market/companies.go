package market

// company is a made-up symbol.
type company struct {
	symbol, name string
	price        float64 // what it moves about
	volatility   float64 // of the logarithm of the price, in a year
	daily        float64 // the volume of a mean day
}

// companies have six letters where they can: no exchange has given such symbols away.
var companies = []company{
	{"ACME", "Acme Corporation", 120, 0.45, 9_000_000},
	{"BRAMBL", "Bramble and Finch Foods", 64.5, 0.2, 1_400_000},
	{"CINDRA", "Cindra Energy", 38.2, 0.5, 4_200_000},
	{"DRYDOK", "Drydok Shipyards", 210, 0.35, 2_500_000},
	{"DUCAT-USD", "Ducat in US dollars", 41_250, 0.9, 700_000},
	{"ELMWYK", "Elmwyck Furniture", 17.8, 0.3, 600_000},
	{"FJORDA", "Fjorda Lines", 92.4, 0.4, 1_100_000},
	{"GLIMMR", "Glimmr Optics", 305, 0.55, 3_300_000},
	{"HALCYO", "Halcyo Health", 148.7, 0.25, 2_100_000},
	{"IRONVL", "Ironvale Steel", 27.3, 0.45, 5_600_000},
	{"JUNIPR", "Junipra Botanicals", 8.45, 0.6, 900_000},
	{"KESTRL", "Kestrelle Drones", 54.1, 0.75, 6_400_000},
	{"LUMINQ", "Luminquil Lamps", 33.6, 0.35, 800_000},
	{"MOSSGT", "Mossgate Insurance", 412, 0.18, 500_000},
	{"NIMBLQ", "Nimbliq Software", 186.9, 0.6, 7_800_000},
	{"PYXISM", "Pyxism Robotics", 73.2, 0.85, 8_200_000},
	{"QUARZO", "Quarzo Clocks", 1_240, 0.3, 120_000},
	{"RIVULT", "Rivulette Water", 49.9, 0.15, 1_900_000},
	{"SALTMR", "Saltmere Mining", 2.85, 1.1, 12_000_000},
	{"TINPOT", "Tinpot Toys", 11.35, 0.5, 750_000},
	{"WOBBLE", "Wobble Games", 0.42, 1.4, 20_000_000},
}
