package rules_test

import (
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules/rulestest"
)

// version is one state of a rule's document: it was the rule for the quotes
// up to, and without, the one of an index.
type version struct {
	rule contract.Rule
	end  int
}

// expected is what the plain model finds.
func expected(versions []version, quotes []contract.Quote) map[string]contract.Alert {
	alerts := map[string]contract.Alert{}
	for _, v := range versions {
		for _, alert := range rulestest.Expected(v.rule, quotes[:v.end]) {
			alerts[alert.ID] = alert
		}
	}
	return alerts
}
