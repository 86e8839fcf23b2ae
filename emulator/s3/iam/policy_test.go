package iam

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const everything = `"Action": "s3:*", "Resource": "arn:aws:s3:::*"`

func key(t testing.TB, statements ...string) *Policy {
	t.Helper()
	p, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`))
	require.NoError(t, err)
	return p
}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		statements string
		allowed    []string // "action bucket/key"
		refused    []string
	}{
		"wildcards": {
			`{"Effect": "Allow", "Action": ["s3:Get*", "s3:PutObject"], "Resource": ["arn:aws:s3:::b/open/*", "arn:aws:s3:::b/?.txt"]}`,
			[]string{"s3:GetObject b/open/1", "s3:GetObjectTagging b/open/a/b/c", "s3:GetObject b/ü.txt", "s3:GetObject b/*.txt"},
			[]string{"s3:GetObject b/ab.txt", "s3:GetObject b/open", "s3:DeleteObject b/open/1", "s3:GetObject bb/open/1", "s3:GetObject b/Open/1"},
		},
		"deny wins": {
			`{"Effect": "Allow", ` + everything + `}, {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::b/kept*"}`,
			[]string{"s3:DeleteObject b/other", "s3:GetObject b/kept/1", "s3:ListAllMyBuckets "},
			[]string{"s3:DeleteObject b/kept/1", "s3:DeleteObjectVersion b/kept"},
		},
		"deny before allow": {
			`{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}, {"Effect": "Allow", ` + everything + `}`,
			[]string{"s3:PutObject b/k"},
			[]string{"s3:GetObject b/k"},
		},
		"not these": {
			`{"Effect": "Allow", "NotAction": "s3:DeleteObject", "NotResource": "arn:aws:s3:::b/shut/*"}`,
			[]string{"s3:GetObject b/k", "s3:GetObject c/shut/k"},
			[]string{"s3:DeleteObject b/k", "s3:GetObject b/shut/k"},
		},
		"a bucket by its objects": {
			`{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b/*"}`,
			[]string{"s3:ListBucket b"},
			[]string{"s3:ListBucket bb"},
		},
		"an object not by its bucket": {
			`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b"}`,
			nil,
			[]string{"s3:GetObject b/k"},
		},
		"versions": {
			`{"Effect": "Allow", "Action": ["s3:GetObjectVersion", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b"]}`,
			[]string{"s3:GetObject b/k", "s3:ListBucketVersions b", "s3:HeadBucket b"},
			[]string{"s3:GetObjectTagging b/k"},
		},
		"own home": {
			`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/home/${aws:username}/*"}`,
			[]string{"s3:GetObject b/home/me/k"},
			[]string{"s3:GetObject b/home/you/k", "s3:GetObject b/home/${aws:username}/k"},
		},
		"unknown variable": {
			`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:nothing}*"}`,
			nil,
			[]string{"s3:GetObject b/k"},
		},
		"administration": {
			`{"Effect": "Allow", "Action": "admin:*"}`,
			[]string{"admin:ListUsers "},
			[]string{"s3:ListAllMyBuckets ", "s3:GetObject b/k"},
		},
		"not administration": {
			`{"Effect": "Allow", ` + everything + `}`,
			[]string{"s3:GetObject b/k"},
			[]string{"admin:ListUsers ", "- b/k", " b/k"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := key(t, x.statements)
			decide := func(what string) Decision {
				action, resource, _ := strings.Cut(what, " ")
				bucket, object, _ := strings.Cut(resource, "/")
				return p.Decide(Request{Action: action, Bucket: bucket, Key: object, Principal: "me", Value: func(key string) []string {
					return map[string][]string{"aws:username": {"me"}}[key]
				}})
			}
			for _, what := range x.allowed {
				require.Equal(t, Allow, decide(what), what)
			}
			for _, what := range x.refused {
				require.NotEqual(t, Allow, decide(what), what)
			}
		})
	}
}

// A name that is itself a pattern opens no more than what it names.
func TestVariablesAreNoPatterns(t *testing.T) {
	t.Parallel()
	p := key(t, `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/${aws:username}/*"}`)
	r := Request{Action: "s3:GetObject", Bucket: "b", Key: "other/k", Value: func(string) []string { return []string{"*"} }}
	require.Equal(t, None, p.Decide(r))
}

func TestConditions(t *testing.T) {
	t.Parallel()
	holds := map[string]string{
		"aws:sourceip": "10.1.2.3", "aws:securetransport": "false", "aws:currenttime": "2026-05-01T12:00:00Z",
		"aws:epochtime": "1777636800", "aws:username": "me", "aws:useragent": "mc/1", "s3:prefix": "home/me/", "s3:max-keys": "10",
		"s3:requestobjecttag/Class": "open",
	}
	for condition, want := range map[string]bool{
		`"StringEquals": {"aws:username": "me"}`:                                                        true,
		`"StringEquals": {"AWS:UserName": ["you", "me"]}`:                                               true,
		`"StringEquals": {"aws:username": "ME"}`:                                                        false,
		`"StringEquals": {"aws:referer": "x"}`:                                                          false,
		`"StringNotEquals": {"aws:username": ["you", "me"]}`:                                            false,
		`"StringNotEquals": {"aws:referer": "x"}`:                                                       true,
		`"StringEqualsIgnoreCase": {"aws:username": "ME"}`:                                              true,
		`"StringNotEqualsIgnoreCase": {"aws:username": "ME"}`:                                           false,
		`"StringLike": {"aws:useragent": "mc/*"}`:                                                       true,
		`"StringNotLike": {"aws:useragent": "mc/?"}`:                                                    false,
		`"StringLike": {"s3:prefix": "home/${aws:username}/*"}`:                                         true,
		`"StringEqualsIfExists": {"aws:referer": "x"}`:                                                  true,
		`"StringEqualsIfExists": {"aws:username": "x"}`:                                                 false,
		`"StringEquals": {"s3:RequestObjectTag/Class": "open"}`:                                         true,
		`"StringEquals": {"s3:RequestObjectTag/class": "open"}`:                                         false,
		`"ForAllValues:StringEquals": {"aws:referer": "x"}`:                                             true,
		`"ForAnyValue:StringEquals": {"aws:referer": "x"}`:                                              false,
		`"ForAnyValue:StringEquals": {"aws:username": ["me", "x"]}`:                                     true,
		`"ForAllValues:StringNotEquals": {"aws:username": "me"}`:                                        false,
		`"BinaryEquals": {"aws:username": "bWU="}`:                                                      true,
		`"BinaryEquals": {"aws:username": "eW91"}`:                                                      false,
		`"Bool": {"aws:SecureTransport": "false"}`:                                                      true,
		`"Bool": {"aws:SecureTransport": true}`:                                                         false,
		`"Null": {"aws:referer": "true"}`:                                                               true,
		`"Null": {"aws:username": "true"}`:                                                              false,
		`"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}`:                                                   true,
		`"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "10.1.2.3"]}`:                                 true,
		`"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}`:                                              false,
		`"NumericLessThan": {"s3:max-keys": 10}`:                                                        false,
		`"NumericLessThanEquals": {"s3:max-keys": "10"}`:                                                true,
		`"NumericEquals": {"s3:max-keys": 10}`:                                                          true,
		`"NumericNotEquals": {"s3:max-keys": 10}`:                                                       false,
		`"NumericGreaterThan": {"s3:max-keys": 9}`:                                                      true,
		`"NumericGreaterThanEquals": {"s3:max-keys": 11}`:                                               false,
		`"DateLessThan": {"aws:CurrentTime": "2026-05-01T12:00:01Z"}`:                                   true,
		`"DateLessThanEquals": {"aws:CurrentTime": "2026-05-01T11:59:59Z"}`:                             false,
		`"DateGreaterThan": {"aws:CurrentTime": "2026-05-01T14:00:00+02:00"}`:                           false,
		`"DateGreaterThanEquals": {"aws:CurrentTime": "2026-05-01T14:00:00+02:00"}`:                     true,
		`"DateEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}`:                                     true,
		`"DateNotEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}`:                                  false,
		`"StringEquals": {"aws:username": "me"}, "Bool": {"aws:SecureTransport": "true"}`:               false,
		`"StringEquals": {"aws:username": "me", "aws:useragent": "mc/1"}, "Null": {"s3:prefix": false}`: true,
	} {
		p := key(t, `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {`+condition+`}}`)
		d := p.Decide(Request{Action: "s3:ListBucket", Bucket: "b", Value: func(key string) []string {
			if v, ok := holds[key]; ok {
				return []string{v}
			}
			return nil
		}})
		require.Equal(t, want, d == Allow, condition)
	}
}

// The messages are MinIO's, but for what it takes without a word: a document
// without statements, and fields that mean nothing.
func TestMalformed(t *testing.T) {
	t.Parallel()
	const good = `"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"`
	statement := func(s string) string { return `{"Version": "2012-10-17", "Statement": [{` + s + `}]}` }
	for document, message := range map[string]string{
		`{`:                            "unexpected EOF",
		`{}`:                           "The policy must contain a valid version string",
		`{"Version": "2008-10-17"}`:    "invalid version '2008-10-17'",
		`{"Version": "2012-10-17"}`:    "Statement must not be empty",
		statement(good) + "{}":         "more than one JSON value",
		statement(good + `, "Foo": 1`): `json: unknown field "Foo"`,
		statement(`"Effect": "Maybe"`): "invalid Effect Maybe",
		statement(`"Effect": "Allow"`): "Action must not be empty",
		statement(good + `, "NotAction": "s3:*"`):                                                          "Action and NotAction cannot be specified in the same statement",
		statement(good + `, "NotResource": "x"`):                                                           "Resource and NotResource cannot be specified in the same statement",
		statement(good + `, "Principal": "*"`):                                                             "a Principal is for the policy of a bucket, not for that of a key",
		statement(`"Effect": "Allow", "Action": "s3:Frob", "Resource": "*"`):                               "unsupported action 's3:Frob'",
		statement(`"Effect": "Allow", "Action": ["admin:*", "s3:*"], "Resource": "*"`):                     "unsupported admin action 's3:*'",
		statement(`"Effect": "Allow", "Action": "s3:*"`):                                                   "Resource must not be empty",
		statement(`"Effect": "Allow", "Action": "s3:*", "Resource": "b/*"`):                                "invalid resource 'b/*'",
		statement(`"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::/k"`):                    "invalid resource 'arn:aws:s3:::/k' - starts with '/' will not match a bucket",
		statement(good + `, "Condition": {}`):                                                              "condition must not be empty",
		statement(good + `, "Condition": {"Foo": {"aws:Referer": "x"}}`):                                   "invalid condition name 'Foo'",
		statement(good + `, "Condition": {"StringEquals": {"aws:Foo": "x"}}`):                              "invalid condition key 'aws:Foo'",
		statement(good + `, "Condition": {"StringEquals": {"s3:prefix": "x"}}`):                            "unsupported condition keys '[s3:prefix]' used for action 's3:GetObject'",
		statement(good + `, "Condition": {"StringEquals": {"aws:Referer": []}}`):                           "invalid value",
		statement(good + `, "Condition": {"StringEquals": {"aws:Referer": null}}`):                         "invalid value",
		statement(good + `, "Condition": {"IpAddress": {"aws:Referer": "10.0.0.0/8"}}`):                    "only aws:SourceIp key is allowed for IpAddress condition",
		statement(good + `, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}`):                  "value 10.0.0.0/99 must be CIDR string for IpAddress condition",
		statement(good + `, "Condition": {"Bool": {"aws:SecureTransport": "x"}}`):                          "value must be a boolean string for boolean condition",
		statement(good + `, "Condition": {"Null": {"aws:Referer": "x"}}`):                                  "value must be a boolean string for Null condition",
		statement(good + `, "Condition": {"NumericLessThan": {"aws:EpochTime": "x"}}`):                     `value x must be a int for NumericLessThan condition: strconv.Atoi: parsing "x": invalid syntax`,
		statement(good + `, "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}`):             `value 2030-01-01 must be a time.Time string for DateLessThan condition: parsing time "2030-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"`,
		statement(good + `, "Condition": {"ForAnyValue:ForAllValues:StringEquals": {"aws:Referer": "x"}}`): "invalid condition name 'ForAnyValue:ForAllValues:StringEquals'",
	} {
		_, err := Parse([]byte(document))
		require.EqualError(t, err, message, document)
	}
}

func TestBucketPolicies(t *testing.T) {
	t.Parallel()
	parse := func(s string) error {
		_, err := ParseBucket(fmt.Appendf(nil, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", %s}]}`, s), "b")
		return err
	}
	const all = `"Principal": {"AWS": "*"}, `
	for statement, message := range map[string]string{
		all + `"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"`:                     "",
		`"Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"`:          "",
		all + `"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "arn:aws:s3:::b*"`:   "",
		all + `"Action": "*", "Resource": "*"`:                                               "",
		`"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"`:                           "invalid Principal {[]}",
		`"Principal": {"AWS": []}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"`: "invalid Principal {[]}",
		`"Principal": "me", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"`:        "invalid principal 'me'",
		all + `"Action": "s3:Frob", "Resource": ["arn:aws:s3:::b/x*", "arn:aws:s3:::b/a*"]`:  "unsupported Resource found [arn:aws:s3:::b/a* arn:aws:s3:::b/x*] for action s3:Frob",
		all + `"Action": "admin:*", "Resource": "arn:aws:s3:::b/*"`:                          "unsupported Resource found [arn:aws:s3:::b/*] for action admin:*",
		all + `"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b/*"`:                    "unsupported Resource found [arn:aws:s3:::b/*] for action s3:ListBucket",
		all + `"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "arn:aws:s3:::b"`:    "unsupported Resource found [arn:aws:s3:::b] for action s3:GetObject",
		all + `"Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*"`:                 "bucket name does not match",
	} {
		err := parse(statement)
		if message == "" {
			require.NoError(t, err, statement)
			continue
		}
		require.EqualError(t, err, message, statement)
	}
}

// A document is written with lists and sorted sets, and read again as the same.
func TestWritten(t *testing.T) {
	t.Parallel()
	p, err := ParseBucket([]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
		"Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::b/*", "Condition": {"Bool": {"aws:SecureTransport": false}}}}`), "b")
	require.NoError(t, err)
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}]}`
	js, err := json.Marshal(p)
	require.NoError(t, err)
	require.Equal(t, want, string(js))
	var again Policy
	require.NoError(t, json.Unmarshal(js, &again))
	written, err := json.Marshal(&again)
	require.NoError(t, err)
	require.Equal(t, want, string(written))
	require.False(t, again.Public())
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for name, can := range map[string][3]bool{ // read, write, administrate
		"readonly": {true, false, false}, "writeonly": {false, true, false},
		"readwrite": {true, true, false}, "consoleAdmin": {true, true, true},
	} {
		p, ok := Named(name)
		require.True(t, ok, name)
		require.Equal(t, name, p.Name())
		for i, r := range []Request{{Action: "s3:GetObject", Bucket: "b", Key: "k"}, {Action: "s3:PutObject", Bucket: "b", Key: "k"}, {Action: "admin:ListUsers"}} {
			require.Equal(t, can[i], p.Decide(r) == Allow, name)
		}
	}
	_, ok := Named("nothing")
	require.False(t, ok)
	require.Empty(t, key(t, `{"Effect": "Allow", `+everything+`}, {"Effect": "Deny", `+everything+`}`).Name())
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}/?*"}}`))
	f.Add([]byte(`{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "NotAction": "*", "NotResource": "*", "Condition": {"Bool": {"aws:SecureTransport": [true, "false"]}}}]}`))
	f.Fuzz(func(t *testing.T, js []byte) {
		p, err := Parse(js)
		if err != nil {
			return
		}
		p.Decide(Request{Action: "s3:GetObject", Bucket: "b", Key: "k", Value: func(string) []string { return []string{"v"} }})
		written, err := json.Marshal(p)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(written, new(Policy)))
	})
}

func BenchmarkDecide(b *testing.B) {
	p := key(b, `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::uploads"}`,
		`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::uploads/incoming/*"}`,
		`{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::uploads/processed/*"}`,
		`{"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": ["arn:aws:s3:::uploads/incoming/*", "arn:aws:s3:::uploads/processed/*"]}`)
	b.ReportAllocs()
	for b.Loop() {
		if p.Decide(Request{Action: "s3:PutObject", Bucket: "uploads", Key: "processed/owner/upload/small.jpeg"}) != Allow {
			b.Fatal("refused")
		}
	}
}
