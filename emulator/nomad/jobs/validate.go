package jobs

const (
	// PayloadOptional is what a parameterized job says of its payload when it
	// says nothing.
	PayloadOptional = "optional"

	changeSignal = "signal"
)
