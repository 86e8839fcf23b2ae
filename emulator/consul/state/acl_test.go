package state

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinksHaveTheNamesOfTheirTargets(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.PutPolicy(Policy{ID: "p1", Name: "one"})
		tx.PutPolicy(Policy{ID: "p2", Name: "two"})
		tx.PutRole(Role{ID: "r1", Name: "role", Policies: []Link{{ID: "p1"}}})
		tx.PutToken(Token{AccessorID: "a", SecretID: "s", Policies: []Link{{ID: "p1"}, {ID: "p2"}}, Roles: []Link{{ID: "r1"}}})
		return nil
	}))
	before := s.View().TokenOf("s")
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.PutPolicy(Policy{ID: "p1", Name: "uno"})
		tx.Delete(TablePolicies, tx.Policy("p2"))
		return nil
	}))

	view := s.View()
	now := view.CurrentToken(view.Token("A")) // accessors are UUIDs, which have no case
	assert.Equal(t, []Link{{ID: "p1", Name: "uno"}}, now.Policies)
	assert.Equal(t, []Link{{ID: "r1", Name: "role"}}, now.Roles)
	assert.Equal(t, []Link{{ID: "p1", Name: "uno"}}, view.CurrentRole(view.RoleNamed("ROLE")).Policies)
	assert.Equal(t, []Link{{ID: "p1"}, {ID: "p2"}}, before.Policies, "a row never changes")
	assert.True(t, Linked(now.Policies, "P1"))
	assert.False(t, Linked(now.Policies, "p2"))
}

func TestPutKeepsTheIndexOfCreation(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	put := func(description string) (token *Token) {
		require.NoError(t, s.Write(func(tx *Tx) error {
			token = tx.PutToken(Token{AccessorID: "a", SecretID: "s", Description: description})
			return nil
		}))
		return token
	}
	first := put("first")
	second := put("second")
	assert.Equal(t, first.CreateIndex, second.CreateIndex)
	assert.Greater(t, second.ModifyIndex, first.ModifyIndex)
	assert.NotEqual(t, first.Hash, second.Hash)
	assert.Equal(t, first.Hash, put("first").Hash)
	assert.Equal(t, s.View().ACLIndex(), s.View().Token("a").ModifyIndex)
}

func TestAnAuthMethodGoesWithItsRulesAndTokens(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.PutAuthMethod(AuthMethod{Name: "one"})
		tx.PutBindingRule(BindingRule{ID: "1", AuthMethod: "one"})
		tx.PutBindingRule(BindingRule{ID: "2", AuthMethod: "other"})
		tx.PutToken(Token{AccessorID: "a", SecretID: "a", AuthMethod: "one"})
		tx.PutToken(Token{AccessorID: "b", SecretID: "b"})
		return nil
	}))
	require.NoError(t, s.Write(func(tx *Tx) error {
		tx.DeleteAuthMethod(tx.AuthMethod("ONE"))
		return nil
	}))
	view := s.View()
	assert.Nil(t, view.AuthMethod("one"))
	assert.Nil(t, view.BindingRule("1"))
	assert.NotNil(t, view.BindingRule("2"))
	assert.Nil(t, view.Token("a"))
	assert.NotNil(t, view.Token("b"))
}

func TestTokensExpireInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New()
		require.NoError(t, err)
		_, ok := s.View().NextExpiry()
		assert.False(t, ok)
		at := func(d time.Duration) *time.Time {
			then := time.Now().Add(d)
			return &then
		}
		soon := at(time.Minute)
		require.NoError(t, s.Write(func(tx *Tx) error {
			tx.PutToken(Token{AccessorID: "a", SecretID: "late", ExpirationTime: at(time.Hour)})
			tx.PutToken(Token{AccessorID: "b", SecretID: "soon", ExpirationTime: soon})
			tx.PutToken(Token{AccessorID: "c", SecretID: "never"})
			return nil
		}))
		next, ok := s.View().NextExpiry()
		assert.True(t, ok)
		assert.Equal(t, *soon, next)

		time.Sleep(time.Minute)
		require.NoError(t, s.Write(func(tx *Tx) error {
			tx.DeleteExpiredTokens()
			return nil
		}))
		view := s.View()
		assert.Nil(t, view.TokenOf("soon"))
		assert.NotNil(t, view.TokenOf("late"))
		assert.NotNil(t, view.TokenOf("never"))
	})
}
