package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// policy is a POST policy: what a browser's form may hold.
type policy struct {
	expiration time.Time
	conditions []condition
	ranged     bool // there is a content-length-range
	min, max   int64
}

// condition is on one form field, named in lower case without the dollar.
type condition struct {
	startsWith bool
	field      string
	value      string
}

// String writes a condition as MinIO's messages do.
func (c condition) String() string {
	op := "eq"
	if c.startsWith {
		op = "starts-with"
	}
	return fmt.Sprintf("[%s, $%s, %s]", op, c.field, c.value)
}

var errPolicyShape = errors.New("policy condition is malformed")

// parsePolicy reads the base64 of a policy document, strictly.
func parsePolicy(encoded string) (*policy, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("decode policy: %w", err)
	}
	var doc struct {
		Expiration string            `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("decode policy: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("decode policy: more than one document")
	}
	p := &policy{max: maxObjectSize}
	if p.expiration, err = time.Parse(time.RFC3339Nano, doc.Expiration); err != nil {
		return nil, fmt.Errorf("policy expiration: %w", err)
	}
	for _, c := range doc.Conditions {
		if err := p.add(c); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *policy) add(raw json.RawMessage) error {
	var object map[string]string
	if json.Unmarshal(raw, &object) == nil && object != nil {
		for field, value := range object {
			p.conditions = append(p.conditions, condition{field: strings.ToLower(field), value: value})
		}
		return nil
	}
	var list []any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&list); err != nil || len(list) != 3 {
		return errPolicyShape
	}
	op, ok := list[0].(string)
	if !ok {
		return errPolicyShape
	}
	switch op = strings.ToLower(op); op {
	case "eq", "starts-with":
		field, ok1 := list[1].(string)
		value, ok2 := list[2].(string)
		field, dollar := strings.CutPrefix(field, "$")
		if !ok1 || !ok2 || !dollar || field == "" {
			return errPolicyShape
		}
		p.conditions = append(p.conditions, condition{startsWith: op == "starts-with", field: strings.ToLower(field), value: value})
	case "content-length-range":
		low, err1 := policyNumber(list[1])
		high, err2 := policyNumber(list[2])
		if err1 != nil || err2 != nil || low < 0 || high < low {
			return errPolicyShape
		}
		// Of several ranges all must hold.
		p.ranged, p.min, p.max = true, max(p.min, low), min(p.max, high)
	default:
		return errPolicyShape
	}
	return nil
}

func policyNumber(v any) (int64, error) {
	switch v := v.(type) {
	case json.Number:
		return v.Int64()
	case string:
		return strconv.ParseInt(v, 10, 64)
	}
	return 0, errPolicyShape
}

// check holds the form's fields, named in lower case, against the policy: each
// condition must hold and each field must have one.
func (p *policy) check(fields map[string]string, now time.Time) error {
	if !now.Before(p.expiration) {
		return errAccessDenied.saying("Access Denied. (Invalid according to Policy: Policy expired)")
	}
	covered := map[string]bool{}
	for _, c := range p.conditions {
		covered[c.field] = true
		if !c.holds(fields[c.field]) {
			return errAccessDenied.saying("Access Denied. (Invalid according to Policy: Policy Condition failed: %s)", c)
		}
	}
	for name := range fields {
		if !covered[name] && !uncovered(name) {
			return errAccessDenied.saying("Access Denied. (Each form field that you specify in a form must appear in the list of policy conditions. %q not specified in the policy.)", http.CanonicalHeaderKey(name))
		}
	}
	return nil
}

// uncovered tells the fields that need no condition.
func uncovered(name string) bool {
	switch name {
	case "x-amz-signature", "awsaccesskeyid", "signature", "file", "policy":
		return true
	}
	return strings.HasPrefix(name, "x-ignore-")
}

func (c condition) holds(value string) bool {
	if !c.startsWith {
		return value == c.value
	}
	if c.field != "content-type" {
		return strings.HasPrefix(value, c.value)
	}
	for v := range strings.SplitSeq(value, ",") {
		if !strings.HasPrefix(strings.TrimSpace(v), c.value) {
			return false
		}
	}
	return true
}
