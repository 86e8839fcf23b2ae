package acl

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDeniedError(t *testing.T) {
	t.Parallel()
	const token = "cd9543a3-f408-fed2-f7a5-560bbf72a2f8"
	cases := map[string]DeniedError{
		`Permission denied: token with AccessorID 'cd9543a3-f408-fed2-f7a5-560bbf72a2f8' lacks permission 'key:write' on "foo"`:                                      {token, Key, Write, "foo"},
		`Permission denied: token with AccessorID 'cd9543a3-f408-fed2-f7a5-560bbf72a2f8' lacks permission 'key:list'`:                                                {token, Key, List, ""},
		"Permission denied: token with AccessorID 'cd9543a3-f408-fed2-f7a5-560bbf72a2f8' lacks permission 'service:write' on \"a\"b\n\"":                             {token, Service, Write, "a\"b\n"},
		`Permission denied: token with AccessorID 'cd9543a3-f408-fed2-f7a5-560bbf72a2f8' lacks permission 'intention:read' on "*"`:                                   {token, Intention, Read, "*"},
		`Permission denied: token with AccessorID 'cd9543a3-f408-fed2-f7a5-560bbf72a2f8' lacks permission 'mesh:write'`:                                              {token, Mesh, Write, ""},
		`Permission denied: anonymous token lacks permission 'acl:read'. The anonymous token is used implicitly when a request does not specify a token.`:            {AnonymousAccessorID, ACL, Read, ""},
		`Permission denied: anonymous token lacks permission 'agent:write' on "vm". The anonymous token is used implicitly when a request does not specify a token.`: {AnonymousAccessorID, Agent, Write, "vm"},
		`Permission denied: anonymous token lacks permission 'peering:read'. The anonymous token is used implicitly when a request does not specify a token.`:        {AnonymousAccessorID, Peering, Read, "ignored"},
	}
	for text, denied := range cases {
		assert.EqualError(t, &denied, text)
	}
}

func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	a := authorizer(t, false, `key "a" { policy = "read" }`)
	require.NoError(t, a.Check("someone", Read, Key, "a"))

	var denied *DeniedError
	require.ErrorAs(t, a.Check("someone", Write, Key, "a"), &denied)
	assert.Equal(t, DeniedError{"someone", Key, Write, "a"}, *denied)
}
