package process

import (
	"os"
	"os/signal"
	"syscall"
)

// ignoredAtStart are the signals that this program ignores because who started
// it said so: nohup does, and a shell does with what it runs in the background.
// There are no others that Go leaves ignored.
var ignoredAtStart = func() (ignored []os.Signal) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(s) {
			ignored = append(ignored, s)
		}
	}
	return ignored
}()

// heed has programs that are started from now on heed the signals of
// ignoredAtStart, until signal.Stop: what is ignored they would inherit, and
// could not be asked to end; what is caught they do not. Nobody reads from the
// channel, so that this program ignores them as before.
func heed(caught chan<- os.Signal) {
	if len(ignoredAtStart) > 0 { // without any, Notify would mean all signals
		signal.Notify(caught, ignoredAtStart...)
	}
}
