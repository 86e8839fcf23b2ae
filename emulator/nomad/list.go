package nomad

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-bexpr"

	"github.com/drydock/drydock/emulator/nomad/acl"
)

// position is where a row stands in a list: by what it was created, if the list
// is in that order, and by a name.
type position struct {
	created uint64
	name    string
}

func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(p.created, other.created), cmp.Compare(p.name, other.name))
}

// String is the position as the parameter next_token has it.
func (p position) String() string {
	if p.created == 0 {
		return p.name
	}
	return strconv.FormatUint(p.created, 10) + "." + p.name
}

// parsePosition reads a token of a list whose positions are like this one.
func parsePosition(token string, like position) position {
	if like.created == 0 {
		return position{name: token}
	}
	number, name, _ := strings.Cut(token, ".")
	created, _ := strconv.ParseUint(number, 10, 64) // of no meaning is the beginning
	return position{created: created, name: name}
}

// page is the part of a list that a request asks for, with the parameters
// reverse, filter, per_page and next_token. Rows come in ascending order of
// where they are at; item is what is filtered and answered of one, and says
// whether it is to be seen. The answer is never nil.
func page[Row, Item any](r *request, rows iter.Seq[Row], at func(Row) position, item func(Row) (Item, bool)) ([]Item, error) {
	matches, err := r.filter()
	if err != nil {
		return nil, err
	}
	return pageOf(r, rows, at, func(row Row) (Item, bool, error) {
		answer, visible := item(row)
		if !visible {
			return answer, false, nil
		}
		ok, err := matches(answer)
		return answer, ok, err
	})
}

// pageOf is page for a list whose item filters itself.
func pageOf[Row, Item any](r *request, rows iter.Seq[Row], at func(Row) position, item func(Row) (Item, bool, error)) ([]Item, error) {
	perPage, err := r.perPage()
	if err != nil {
		return nil, err
	}
	reverse := r.reverse()
	if reverse {
		all := slices.Collect(rows)
		slices.Reverse(all)
		rows = slices.Values(all)
	}
	token, items := r.query.Get("next_token"), []Item{}
	for row := range rows {
		here := at(row)
		if token != "" {
			order := here.compare(parsePosition(token, here))
			if !reverse && order < 0 || reverse && order > 0 {
				continue
			}
		}
		answer, shown, err := item(row)
		if err != nil {
			return nil, badRequest("failed to read result page: %v", err)
		}
		if !shown {
			continue
		}
		if perPage > 0 && len(items) == perPage {
			r.header.Set("X-Nomad-NextToken", here.String())
			break
		}
		items = append(items, answer)
	}
	return items, nil
}

// filter is the parameter filter as a function.
func (r *request) filter() (matches func(any) (bool, error), err error) {
	expression := r.query.Get("filter")
	if expression == "" {
		return func(any) (bool, error) { return true, nil }, nil
	}
	evaluator, err := bexpr.CreateEvaluator(expression)
	if err != nil {
		return nil, badRequest("failed to create result paginator: failed to read filter expression: %v", err)
	}
	return evaluator.Evaluate, nil
}

// perPage is how many items a page has at most; 0 is no limit.
func (r *request) perPage() (int, error) {
	text := r.query.Get("per_page")
	if text == "" {
		return 0, nil
	}
	count, err := strconv.ParseInt(text, 10, 32)
	if err != nil || count < 0 {
		return 0, badRequest("Expect a number for `per_page` query string parameter")
	}
	return int(count), nil
}

// flag is a parameter that is true or false, and false when it is not given.
func (r *request) flag(parameter string) bool {
	on, _ := strconv.ParseBool(r.query.Get(parameter))
	return on
}

// reverse asks for the newest first.
func (r *request) reverse() bool { return r.flag("reverse") }

// visibleIn is which namespaces a list with the request's namespace shows: that
// one, which needs one of the capabilities, or with "*" all where the caller has one.
func (r *request) visibleIn(capabilities ...acl.Capability) (func(namespace string) bool, error) {
	asked := r.namespace()
	may, err := r.may()
	if err != nil {
		return nil, err
	}
	if asked == allNamespaces {
		if !may.AnyNamespace(capabilities...) {
			return nil, errDenied
		}
		return func(namespace string) bool { return may.Namespace(namespace, capabilities...) }, nil
	}
	if !may.Namespace(asked, capabilities...) {
		return nil, errDenied
	}
	return func(namespace string) bool { return namespace == asked }, nil
}
