package nomad

import (
	"iter"
	"net/http"
	"strconv"

	"github.com/hashicorp/go-bexpr"
)

// page is the part of a list that a request asks for, with the parameters
// filter, per_page and next_token. Rows come in the order of their tokens,
// ascending or, with reverse, descending; token is where a row stands in it, and
// item what is filtered and answered of it. The answer is never nil.
func page[Row, Item any](r *request, rows iter.Seq[Row], token func(Row) string, item func(Row) Item) ([]Item, error) {
	matches, err := r.filter()
	if err != nil {
		return nil, err
	}
	perPage, err := r.perPage()
	if err != nil {
		return nil, err
	}
	from, items := r.query.Get("next_token"), []Item{}
	for row := range rows {
		at := token(row)
		if from != "" && (!r.reverse() && at < from || r.reverse() && at > from) {
			continue
		}
		answer := item(row)
		ok, err := matches(answer)
		if err != nil {
			return nil, badRequest("failed to read filter expression: %v", err)
		}
		if !ok {
			continue
		}
		if perPage > 0 && len(items) == perPage {
			r.header.Set("X-Nomad-NextToken", at)
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
		return nil, badRequest("failed to read filter expression: %v", err)
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
		return 0, fail(http.StatusBadRequest, "Error parsing per_page: %q is no count", text)
	}
	return int(count), nil
}

// reverse asks for the newest first.
func (r *request) reverse() bool {
	reverse, _ := strconv.ParseBool(r.query.Get("reverse"))
	return reverse
}
